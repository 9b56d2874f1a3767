//! Montages: fixed multiples of one waveform on one, two or three contacts.

/// How many contacts a montage uses.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum MontageKind {
    /// One contact; the current returns at a distance.
    Monopolar,
    /// One contact against another.
    Bipolar,
    /// One contact against two, half of the current through each.
    Tripolar,
}

impl MontageKind {
    /// Name in results.
    pub fn name(self) -> &'static str {
        match self {
            MontageKind::Monopolar => "monopolar",
            MontageKind::Bipolar => "bipolar",
            MontageKind::Tripolar => "tripolar",
        }
    }
}

/// Multiples of the waveform at the contacts of a cuff.
#[derive(Clone, Debug, PartialEq)]
pub struct Montage {
    /// How many contacts it uses.
    pub kind: MontageKind,
    /// The contacts: the center first.
    pub contacts: Vec<usize>,
    /// Multiple of the waveform at every contact of the cuff.
    pub gains: Vec<f64>,
}

impl Montage {
    /// All monopolar, bipolar and tripolar montages of so many contacts: 1 and -1 on each contact; 1 on one and -1 on
    /// another for each ordered pair; (1, -1/2, -1/2) and its negative for each center and pair of others.
    ///
    /// Six contacts have 12, 30 and 120.
    pub fn all(contacts: usize) -> Vec<Montage> {
        let montage = |kind, of: &[(usize, f64)]| {
            let mut gains = vec![0.0; contacts];
            of.iter().for_each(|&(contact, gain)| gains[contact] = gain);
            Montage {
                kind,
                contacts: of.iter().map(|(contact, _)| *contact).collect(),
                gains,
            }
        };
        let all = || 0..contacts;
        let mut montages = Vec::new();
        for contact in all() {
            let signs = [1.0, -1.0];
            montages.extend(signs.map(|sign| montage(MontageKind::Monopolar, &[(contact, sign)])));
        }
        for (one, other) in all().flat_map(|one| all().map(move |other| (one, other))) {
            if one != other {
                montages.push(montage(MontageKind::Bipolar, &[(one, 1.0), (other, -1.0)]));
            }
        }
        for center in all() {
            let others: Vec<usize> = all().filter(|contact| *contact != center).collect();
            for (place, &first) in others.iter().enumerate() {
                for &second in &others[place + 1..] {
                    for sign in [1.0, -1.0] {
                        let of = [(center, sign), (first, -0.5 * sign), (second, -0.5 * sign)];
                        montages.push(montage(MontageKind::Tripolar, &of));
                    }
                }
            }
        }
        montages
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn six_contacts_have_162_montages_all_different() {
        let all = Montage::all(6);
        let count = |kind| all.iter().filter(|montage| montage.kind == kind).count();
        let kinds = [
            MontageKind::Monopolar,
            MontageKind::Bipolar,
            MontageKind::Tripolar,
        ];
        assert_eq!(kinds.map(count), [12, 30, 120]);
        for (place, montage) in all.iter().enumerate() {
            assert!(
                all[place + 1..]
                    .iter()
                    .all(|other| other.gains != montage.gains)
            );
            let sum: f64 = montage.gains.iter().sum();
            let returns = montage.kind != MontageKind::Monopolar;
            assert_eq!(sum == 0.0, returns);
            assert_eq!(montage.gains[montage.contacts[0]].abs(), 1.0);
        }
    }

    #[test]
    fn one_contact_is_monopolar_only() {
        assert_eq!(Montage::all(1).len(), 2);
        assert_eq!(Montage::all(2).len(), 6);
        assert!(Montage::all(0).is_empty());
    }
}
