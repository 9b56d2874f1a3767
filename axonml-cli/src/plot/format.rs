//! Numbers as text.

const MINUS: char = '−';

/// `v` with `decimals` digits after the point and a typographic minus; never "−0".
pub(super) fn fixed(v: f64, decimals: usize) -> String {
    let text = format!("{:.decimals$}", v.abs());
    let zero = text.bytes().all(|b| matches!(b, b'0' | b'.'));
    if v < 0.0 && !zero {
        format!("{MINUS}{text}")
    } else {
        text
    }
}

/// `v` without superfluous digits, at most `digits` significant ones.
pub(super) fn short(v: f64, digits: usize) -> String {
    if v == 0.0 || !v.is_finite() {
        return if v == 0.0 {
            "0".to_owned()
        } else {
            v.to_string()
        };
    }
    let exponent = v.abs().log10().floor() as i32;
    if !(-4..6).contains(&exponent) {
        let mantissa = short(v / 10_f64.powi(exponent), digits);
        return format!("{mantissa}×10{}", superscript(exponent));
    }
    let decimals = (digits as i32 - 1 - exponent).max(0) as usize;
    let text = fixed(v, decimals);
    if text.contains('.') {
        text.trim_end_matches('0').trim_end_matches('.').to_owned()
    } else {
        text
    }
}

/// A factor with its sign, such as "+1" or "−0.5".
pub(super) fn signed(v: f64) -> String {
    let text = short(v, 3);
    if v > 0.0 { format!("+{text}") } else { text }
}

/// A power of ten, such as "10⁻⁵".
pub(super) fn power_of_ten(exponent: i32) -> String {
    format!("10{}", superscript(exponent))
}

fn superscript(exponent: i32) -> String {
    exponent
        .to_string()
        .chars()
        .map(|c| match c {
            '-' => '⁻',
            '0' => '⁰',
            '1' => '¹',
            '2' => '²',
            '3' => '³',
            c => char::from_u32('⁴' as u32 + c as u32 - '4' as u32).unwrap_or(c),
        })
        .collect()
}

/// `n` with its noun, such as "1 fiber" or "3 fibers".
pub(super) fn count(n: usize, noun: &str) -> String {
    format!("{n} {noun}{}", if n == 1 { "" } else { "s" })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_short_and_exact() {
        assert_eq!(fixed(-0.04, 1), "0.0");
        assert_eq!(fixed(-2.5, 1), "−2.5");
        for (v, text) in [
            (0.0, "0"),
            (1.0, "1"),
            (12.800_000_1, "12.8"),
            (0.002_131, "0.00213"),
            (1234.5, "1234"),
            (3.2e-7, "3.2×10⁻⁷"),
            (-1e9, "−1×10⁹"),
        ] {
            assert_eq!(short(v, 3), text);
        }
        assert_eq!(
            [signed(1.0), signed(-0.5), signed(0.0)],
            ["+1", "−0.5", "0"]
        );
        assert_eq!(power_of_ten(-12), "10⁻¹²");
        assert_eq!(
            [count(1, "fiber"), count(3, "fiber")],
            ["1 fiber", "3 fibers"]
        );
    }
}
