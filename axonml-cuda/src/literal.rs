//! Numbers as C text.

use axonml_autodiff::ir::{Precision, Real};

/// `x`, rounded to `R`, as an expression: the shortest decimal that parses to the same number.
pub(crate) fn literal<R: Real>(x: f64) -> String {
    let value = R::from_f64(x).to_f64();
    if value.is_nan() {
        return "REAL_NAN".into();
    }
    let magnitude = if value.is_infinite() {
        "REAL_INF".into()
    } else {
        match R::PRECISION {
            // The nearest single-precision number; `as` is exact here.
            Precision::F32 => format!("{:?}f", value.abs() as f32),
            Precision::F64 => format!("{:?}", value.abs()),
        }
    };
    // Parentheses, so that a sign never meets another one.
    if value.is_sign_negative() {
        format!("(-{magnitude})")
    } else {
        magnitude
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_read_back_as_themselves() {
        let third = 1.0 / 3.0;
        assert_eq!(literal::<f64>(third), "0.3333333333333333");
        assert_eq!(literal::<f32>(third), "0.33333334f");
        assert_eq!(literal::<f64>(-2.0), "(-2.0)");
        assert_eq!(literal::<f64>(1e-300), "1e-300");
        assert_eq!(literal::<f32>(1e-7), "1e-7f");
        assert_eq!(literal::<f32>(1e300), "REAL_INF");
        assert_eq!(literal::<f64>(f64::NEG_INFINITY), "(-REAL_INF)");
        assert_eq!(literal::<f64>(f64::NAN), "REAL_NAN");
        assert_eq!(literal::<f64>(-0.0), "(-0.0)");
        for x in [0.1, 1e22, 5e-324, f64::MAX, 0.005] {
            assert_eq!(literal::<f64>(x).parse::<f64>().unwrap(), x);
            let single = literal::<f32>(x);
            if single != "REAL_INF" {
                assert_eq!(
                    single.trim_end_matches('f').parse::<f32>().unwrap(),
                    x as f32
                );
            }
        }
    }
}
