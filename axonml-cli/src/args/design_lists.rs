//! Lists of settings that flags of `axonml optimize` take: groups of fibers, currents of contacts, costs, perturbations.

use std::collections::BTreeMap;
use std::str::FromStr;

use axonml::study::{Diameters, FiberGroup, OffsetNoise, PenaltyName, PenaltySpec, RobustSpec};
use axonml::table::conditions::cell::node_count;
use axonml::table::names;

use super::number::{count, finite, length_um, not_negative, positive};

/// Splits `key=value`.
fn pair<'t>(setting: &'t str, example: &str) -> Result<(&'t str, &'t str), String> {
    let (key, value) = setting
        .split_once('=')
        .ok_or_else(|| format!("found `{setting}`, expected key=value,..., e.g. {example}"))?;
    Ok((key.trim(), value.trim()))
}

/// A value of a key, or what was expected of it.
fn value<T>(key: &str, text: &str, valid: impl Fn(&str) -> Result<T, String>) -> Result<T, String> {
    valid(text).map_err(|expected| match expected.starts_with("found ") {
        true => format!("{key}: {expected}"),
        false => format!("{key} is `{text}`, {expected}"),
    })
}

fn unknown(key: &str, valid: &[&str]) -> String {
    let hint = names::nearest(key, valid.iter().copied())
        .map(|nearest| format!(" (did you mean `{nearest}`?)"))
        .unwrap_or_default();
    format!("unknown key `{key}`{hint}; valid: {}", valid.join(", "))
}

/// A group of fibers: `NAME:model=sundt,diameter=0.8,nodes=101,want=spare,weight=2`; several diameters by `+`.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Group(pub(crate) FiberGroup);

impl FromStr for Group {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        const EXAMPLE: &str = "C:model=sundt,diameter=0.8,want=spare";
        const KEYS: [&str; 7] = [
            "model", "weights", "diameter", "nodes", "length", "want", "weight",
        ];
        let (name, settings) = text
            .split_once(':')
            .filter(|(name, _)| !name.trim().is_empty() && !name.contains('='))
            .ok_or_else(|| format!("expected a name and settings, e.g. {EXAMPLE}"))?;
        let mut group = FiberGroup {
            name: Some(name.trim().to_owned()),
            ..FiberGroup::default()
        };
        for setting in settings.split(',') {
            let (key, text) = pair(setting, EXAMPLE)?;
            match key {
                "model" => group.model = Some(text.to_owned()),
                "weights" => group.weights = Some(text.to_owned()),
                "diameter" => {
                    let each = |text: &str| text.split('+').map(positive("um")).collect();
                    let all: Vec<f64> = value(key, text, each)?;
                    group.diameter_um = Some(match all[..] {
                        [one] => Diameters::One(one),
                        _ => Diameters::List(all),
                    });
                }
                "nodes" => group.nodes = Some(value(key, text, node_count)?),
                "length" => group.length_um = Some(value(key, text, length_um)?),
                "want" => group.want = Some(value(key, text, str::parse)?),
                "weight" => group.weight = Some(value(key, text, positive(""))?),
                _ => return Err(unknown(key, &KEYS)),
            }
        }
        Ok(Group(group))
    }
}

/// Currents by contact: `0=0,3=-0.1`, mA.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Currents(pub(crate) BTreeMap<usize, f64>);

impl FromStr for Currents {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let mut currents = BTreeMap::new();
        for setting in text.split(',') {
            let (contact, ma) = pair(setting, "0=0,3=-0.1")?;
            let contact = value("contact", contact, count(0))?;
            let ma = value(
                &format!("the current of contact {contact}"),
                ma,
                finite("mA"),
            )?;
            if currents.insert(contact, ma).is_some() {
                return Err(format!("found contact {contact} twice, expected it once"));
            }
        }
        Ok(Currents(currents))
    }
}

/// Weights of costs: `charge=0.1,peak=1`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Penalties(pub(crate) PenaltySpec);

impl FromStr for Penalties {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let mut penalty = PenaltySpec::default();
        for setting in text.split(',') {
            let (key, weight) = pair(setting, "charge=0.1,peak=1")?;
            let name: PenaltyName = key.parse()?;
            penalty.set(name, value(key, weight, not_negative(""))?);
        }
        Ok(Penalties(penalty))
    }
}

/// Perturbations: `amplitude=3%,diameter=5%,offset=uniform,rotation=5deg,dt=half`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Perturbation(pub(crate) RobustSpec);

/// A share: `3%`, or `0.03`.
fn share(text: &str) -> Result<f64, String> {
    let (number, percent) = match text.strip_suffix('%') {
        Some(number) => (number, 100.0),
        None => (text, 1.0),
    };
    let share = not_negative("")(number).map(|number| number / percent);
    share.map_err(|_| "expected a standard deviation of 0 or more, such as 3% or 0.03".to_owned())
}

impl FromStr for Perturbation {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        const EXAMPLE: &str = "amplitude=3%,diameter=5%,offset=uniform,rotation=5deg,dt=half";
        const KEYS: [&str; 5] = ["amplitude", "diameter", "offset", "rotation", "dt"];
        let mut robust = RobustSpec::default();
        for setting in text.split(',') {
            let (key, text) = pair(setting, EXAMPLE)?;
            match key {
                "amplitude" => robust.amplitude = Some(value(key, text, share)?),
                "diameter" => robust.diameter = Some(value(key, text, share)?),
                "offset" => robust.offset = Some(value(key, text, str::parse::<OffsetNoise>)?),
                "rotation" => {
                    let degrees = text.strip_suffix("deg").unwrap_or(text);
                    let expected = "expected degrees of 0 or more, such as 5deg";
                    let degrees = not_negative("")(degrees).map_err(|_| expected.to_owned());
                    robust.rotation_deg = Some(value(key, text, |_| degrees.clone())?);
                }
                "dt" => {
                    robust.dt_half = Some(match text {
                        "half" => true,
                        "same" => false,
                        _ => return Err(format!("dt is `{text}`, expected half or same")),
                    });
                }
                _ => return Err(unknown(key, &KEYS)),
            }
        }
        Ok(Perturbation(robust))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use axonml::study::Want;

    #[test]
    fn groups_are_read_and_refused() {
        let Group(group) = "C:model=sundt,diameter=0.8+1.2,nodes=101,want=spare,weight=2"
            .parse()
            .unwrap();
        assert_eq!(group.name.as_deref(), Some("C"));
        assert_eq!(group.diameter_um, Some(Diameters::List(vec![0.8, 1.2])));
        assert_eq!((group.nodes, group.want), (Some(101), Some(Want::Spare)));
        assert_eq!(group.weight, Some(2.0));
        for (wrong, part) in [
            ("model=sundt", "expected a name and settings"),
            ("C:", "key=value"),
            (
                "C:nodes=1",
                "nodes is `1`, expected a whole number, 3 or more",
            ),
            (
                "C:want=sparre",
                "want: found `sparre` (did you mean `spare`?)",
            ),
            ("C:diametr=1", "did you mean `diameter`"),
            (
                "C:diameter=0",
                "diameter is `0`, expected a finite number in um",
            ),
        ] {
            let why = wrong.parse::<Group>().unwrap_err();
            assert!(why.contains(part), "{wrong}: {why}");
        }
    }

    #[test]
    fn currents_costs_and_perturbations_are_read_and_refused() {
        let currents: Currents = "0=0, 3=-0.1".parse().unwrap();
        assert_eq!(currents.0, BTreeMap::from([(0, 0.0), (3, -0.1)]));
        let Penalties(penalty) = "charge=0.1,contacts=2".parse().unwrap();
        assert_eq!((penalty.charge, penalty.contacts), (Some(0.1), Some(2.0)));
        let Perturbation(robust) = "amplitude=3%,diameter=0.05,rotation=5deg,offset=none,dt=same"
            .parse()
            .unwrap();
        assert_eq!(
            (robust.amplitude, robust.diameter),
            (Some(0.03), Some(0.05))
        );
        assert_eq!(robust.rotation_deg, Some(5.0));
        assert_eq!(robust.offset, Some(OffsetNoise::None));
        assert_eq!(robust.dt_half, Some(false));
        for (why, part) in [
            ("a=1".parse::<Currents>().unwrap_err(), "contact is `a`"),
            (
                "0=1,0=2".parse::<Currents>().unwrap_err(),
                "contact 0 twice",
            ),
            (
                "0=x".parse::<Currents>().unwrap_err(),
                "the current of contact 0 is `x`, expected a finite number in mA",
            ),
            (
                "chrge=1".parse::<Penalties>().unwrap_err(),
                "did you mean `charge`",
            ),
            (
                "peak=-1".parse::<Penalties>().unwrap_err(),
                "peak is `-1`, expected",
            ),
            (
                "amplitude=x%".parse::<Perturbation>().unwrap_err(),
                "such as 3%",
            ),
            (
                "rotation=5%".parse::<Perturbation>().unwrap_err(),
                "such as 5deg",
            ),
            (
                "dt=quarter".parse::<Perturbation>().unwrap_err(),
                "expected half or same",
            ),
            (
                "ofset=uniform".parse::<Perturbation>().unwrap_err(),
                "did you mean `offset`",
            ),
        ] {
            assert!(why.contains(part), "{why}");
        }
    }
}
