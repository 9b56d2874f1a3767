//! Numbers as reports show them.

use axonml::study::significant;

/// Sums of weights differ by this much.
const ROUNDING: f64 = 1e-7;

/// Part of an area, %, to a tenth; never 0 or 100 unless it is.
pub(super) fn percent(value: f64) -> String {
    if !value.is_finite() {
        return "unknown".to_owned();
    }
    let text = format!("{value:.1}");
    match text.trim_start_matches('-') {
        "0.0" if value > ROUNDING => "<0.1".to_owned(),
        "0.0" => "0.0".to_owned(),
        "100.0" if value < 100.0 - ROUNDING => ">99.9".to_owned(),
        _ => text,
    }
}

/// A separation; none where no other fiber ever fires.
pub(super) fn separation(value: Option<f64>) -> String {
    match value.filter(|value| value.is_finite()) {
        Some(value) => format!("{value:.3}"),
        None => "unlimited".to_owned(),
    }
}

/// A factor of the amplitude, rounded to the side on which less is promised.
pub(super) fn factor(value: f64, upward: bool) -> String {
    let thousandths = 1e3 * value;
    let rounded = if upward {
        thousandths.ceil()
    } else {
        thousandths.floor()
    };
    match (0.01..1e6).contains(&value) {
        true => format!("{:.3}", 1e-3 * rounded),
        false => significant(value, 3),
    }
}

/// Values with as many decimals as the largest needs for `digits` digits; empty where there is none.
pub(super) fn column(values: &[Option<f64>], digits: i32) -> Vec<String> {
    let finite = values.iter().flatten().map(|v| v.abs());
    let largest = finite.filter(|v| v.is_finite()).fold(0.0, f64::max);
    let decimals = match largest > 0.0 {
        true => (digits - 1 - largest.log10().floor() as i32).clamp(0, 9) as usize,
        false => 0,
    };
    let one = |value: &Option<f64>| match value {
        None => String::new(),
        // Not -0.000.
        Some(value) if *value == 0.0 => "0".to_owned(),
        Some(value) => format!("{value:.decimals$}"),
    };
    values.iter().map(one).collect()
}

/// Numbers in a list, such as "3, 7 and 9"; of more than 40 the rest is counted.
pub(super) fn list(numbers: &[usize]) -> String {
    const MOST: usize = 40;
    let mut each: Vec<String> = numbers.iter().take(MOST).map(usize::to_string).collect();
    if numbers.len() > MOST {
        each.push(format!("{} more", numbers.len() - MOST));
    }
    match each.split_last() {
        None => "none".to_owned(),
        Some((last, [])) => last.clone(),
        Some((last, others)) => format!("{} and {last}", others.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_are_never_rounded_to_none_or_all() {
        for (value, text) in [
            (0.0, "0.0"),
            (-1e-15, "0.0"),
            (0.01, "<0.1"),
            (0.06, "0.1"),
            (99.96, ">99.9"),
            (100.0 - 1e-12, "100.0"),
            (f64::NAN, "unknown"),
        ] {
            assert_eq!(percent(value), text, "{value}");
        }
    }

    #[test]
    fn windows_are_rounded_inward() {
        assert_eq!(
            (factor(0.7471, true), factor(1.3389, false)),
            ("0.748".into(), "1.338".into())
        );
        assert_eq!(factor(0.002_345_6, true), "0.00235");
    }

    #[test]
    fn columns_have_the_decimals_of_their_largest() {
        let of = |values: &[f64]| column(&values.iter().map(|v| Some(*v)).collect::<Vec<_>>(), 4);
        assert_eq!(of(&[0.3, -0.010_74, 0.0]), ["0.3000", "-0.0107", "0"]);
        assert_eq!(of(&[12345.6, 1.0]), ["12346", "1"]);
        assert_eq!(column(&[None, Some(2.0)], 2), ["", "2.0"]);
    }

    #[test]
    fn lists_name_their_items() {
        assert_eq!(list(&[]), "none");
        assert_eq!(list(&[3]), "3");
        assert_eq!(list(&[3, 7, 9]), "3, 7 and 9");
        assert!(list(&(0..50).collect::<Vec<_>>()).ends_with("39 and 10 more"));
    }
}
