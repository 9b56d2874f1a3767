//! Units of parameters that formulas would take for others.

/// Unit in which formulas have a quantity, and the units of the same quantity with their size in it.
const OTHERS: [(&str, &[(&str, f64)]); 8] = [
    (
        "S/cm2",
        &[
            ("mS/cm2", 1e-3),
            ("uS/cm2", 1e-6),
            ("nS/cm2", 1e-9),
            ("S/m2", 1e-4),
            ("mS/m2", 1e-7),
            ("S/mm2", 1e2),
            ("mS/mm2", 1e-1),
            ("nS/um2", 1e-1),
            ("pS/um2", 1e-4),
        ],
    ),
    ("mV", &[("V", 1e3), ("uV", 1e-3)]),
    (
        "uF/cm2",
        &[
            ("F/cm2", 1e6),
            ("mF/cm2", 1e3),
            ("nF/cm2", 1e-3),
            ("F/m2", 1e2),
            ("uF/mm2", 1e2),
            ("pF/um2", 1e2),
        ],
    ),
    (
        "ohm cm",
        &[("ohm m", 1e2), ("kohm cm", 1e3), ("ohm um", 1e-4)],
    ),
    (
        "mA/cm2",
        &[
            ("A/cm2", 1e3),
            ("uA/cm2", 1e-3),
            ("nA/cm2", 1e-6),
            ("A/m2", 1e-1),
            ("mA/m2", 1e-4),
            ("pA/um2", 1e-1),
        ],
    ),
    ("ms", &[("s", 1e3), ("us", 1e-3)]),
    (
        "/ms",
        &[("/s", 1e-3), ("1/s", 1e-3), ("Hz", 1e-3), ("s-1", 1e-3)],
    ),
    ("um", &[("m", 1e6), ("cm", 1e4), ("mm", 1e3), ("nm", 1e-3)]),
];

/// The text of a unit without what is written in several ways: `mS/cm^2`, `mS/cm²` and `mS cm-2` are `mS/cm2`.
fn plain(unit: &str) -> String {
    let text = unit
        .replace('²', "2")
        .replace(['µ', 'μ'], "u")
        .replace('Ω', "ohm");
    let text: String = text.chars().filter(|c| !"^*·.- ".contains(*c)).collect();
    match text.strip_suffix("cm2") {
        // An exponent of -2 in place of a division.
        Some(head) if !head.is_empty() && !head.ends_with('/') => format!("{head}/cm2"),
        _ => text,
    }
}

/// The unit that formulas have for the quantity of `unit`, and how many of it one `unit` is, where that is another number
/// than 1.
pub(super) fn meant(unit: &str) -> Option<(&'static str, f64)> {
    let written = plain(unit);
    OTHERS.iter().find_map(|(own, others)| {
        let other = others.iter().find(|(name, _)| plain(name) == written);
        other.map(|(_, factor)| (*own, *factor))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn units_of_another_size_are_known_however_they_are_written() {
        for unit in [
            "mS/cm2", "mS/cm^2", "mS/cm²", "mS cm-2", "mS*cm-2", "mS / cm2",
        ] {
            assert_eq!(meant(unit), Some(("S/cm2", 1e-3)), "{unit}");
        }
        assert_eq!(meant("µF/mm2"), Some(("uF/cm2", 1e2)));
        assert_eq!(meant("Ω·m"), Some(("ohm cm", 1e2)));
        assert_eq!(meant("kOhm cm"), None);
        assert_eq!(meant("V"), Some(("mV", 1e3)));
        // Units of formulas, of other quantities, and words.
        for unit in [
            "S/cm2", "S/cm^2", "S cm-2", "mV", "uF/cm2", "ohm cm", "ohm-cm", "ms", "1/ms", "mM",
            "K", "", "factor",
        ] {
            assert_eq!(meant(unit), None, "{unit}");
        }
    }

    #[test]
    fn sizes_are_those_of_the_si() {
        // Exponents of ten of prefixes and lengths, from the text alone.
        let prefix = |text: &str| match text {
            "m" => -3,
            "u" => -6,
            "n" => -9,
            "p" => -12,
            "k" => 3,
            _ => 0,
        };
        let length = |text: &str| match text {
            "m" => 0,
            "cm" => -2,
            "mm" => -3,
            "um" => -6,
            other => panic!("{other}"),
        };
        let exponent = |unit: &str| {
            let (of, per) = unit.split_once('/').unwrap();
            let symbol = of.len() - 1;
            prefix(&of[..symbol]) - 2 * length(per.strip_suffix('2').unwrap())
        };
        for (own, others) in OTHERS.iter().filter(|(own, _)| own.ends_with("/cm2")) {
            for (other, factor) in *others {
                let ten = exponent(other) - exponent(own);
                assert!((factor / 10_f64.powi(ten) - 1.0).abs() < 1e-12, "{other}");
            }
        }
    }
}
