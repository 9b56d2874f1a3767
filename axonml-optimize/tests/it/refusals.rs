//! Bad input is refused by name, and changes nothing.

use axonml_optimize::{
    Bounds, Control, Descent, DescentSettings, DifferentialEvolution, EvolutionSettings, Lbfgs,
    LbfgsSettings, LeastSquaresSettings, LevenbergMarquardt, Limits, OptimizeError, Optimizer,
    Rows, Rule, Schedule, Slope, Strategy, Unconstrained,
};

fn evolution(
    settings: EvolutionSettings,
    bounds: Bounds,
) -> Result<DifferentialEvolution<f64>, OptimizeError> {
    DifferentialEvolution::new(settings, bounds, Limits::default(), &Unconstrained)
}

#[test]
fn populations_that_are_too_small_are_refused() {
    for strategy in Strategy::all() {
        let least = match strategy.to_string().as_str() {
            "rand2bin" | "rand2exp" => 6,
            _ => 5,
        };
        let with = |population| {
            let settings = EvolutionSettings {
                population,
                strategy,
                ..EvolutionSettings::default()
            };
            evolution(settings, Bounds::uniform(2, 0.0, 1.0).unwrap())
        };
        let error = with(least - 1).unwrap_err();
        let expected = OptimizeError::Population {
            strategy: strategy.to_string(),
            found: least - 1,
            least,
        };
        assert_eq!(error, expected);
        assert!(with(least).is_ok());
    }
}

#[test]
fn settings_of_evolutions_are_checked() {
    let fixed = |low, high, recombination| EvolutionSettings {
        control: Control::Fixed {
            mutation: (low, high),
            recombination,
        },
        ..EvolutionSettings::default()
    };
    let jade = |c| EvolutionSettings {
        control: Control::Jade { c },
        ..EvolutionSettings::default()
    };
    let pbest = |pbest| EvolutionSettings {
        pbest,
        ..EvolutionSettings::default()
    };
    let cases = [
        (fixed(0.9, 0.5, 0.5), "mutation"),
        (fixed(0.5, 2.5, 0.5), "mutation"),
        (fixed(f64::NAN, 0.5, 0.5), "mutation"),
        (fixed(0.0, 0.0, 0.5), "mutation"),
        (fixed(0.5, 0.9, 1.5), "recombination"),
        (fixed(0.5, 0.9, f64::NAN), "recombination"),
        (jade(0.0), "c:"),
        (jade(f64::NAN), "c:"),
        (pbest(0.0), "pbest"),
        (pbest(1.5), "pbest"),
    ];
    for (settings, name) in cases {
        let error = evolution(settings, Bounds::uniform(2, 0.0, 1.0).unwrap()).unwrap_err();
        assert!(error.to_string().starts_with(name), "{error}");
    }
    let endless = Bounds::uniform(2, 0.0, f64::INFINITY).unwrap();
    let error = evolution(EvolutionSettings::default(), endless).unwrap_err();
    assert!(
        matches!(error, OptimizeError::Bounds { coordinate: 0, .. }),
        "{error}"
    );
    let none = Bounds::uniform(0, 0.0, 1.0).unwrap();
    assert!(evolution(EvolutionSettings::default(), none).is_err());
}

#[test]
fn settings_of_descents_are_checked() {
    let base = DescentSettings::default;
    let with_beta2 = |beta2| {
        let mut settings = base();
        settings.momenta.beta2 = beta2;
        settings
    };
    let cases = [
        (
            DescentSettings {
                rate: 0.0,
                ..base()
            },
            "rate",
        ),
        (
            DescentSettings {
                rate: f64::NAN,
                ..base()
            },
            "rate",
        ),
        (
            DescentSettings {
                clip: Some(0.0),
                ..base()
            },
            "clip",
        ),
        (
            DescentSettings {
                final_share: 1.5,
                ..base()
            },
            "final share",
        ),
        (
            DescentSettings {
                schedule: Schedule::Exponential,
                final_share: 0.0,
                ..base()
            },
            "final share",
        ),
        (with_beta2(1.0), "beta2"),
        (
            DescentSettings {
                rule: Rule::Ranger {
                    period: 0,
                    share: 0.5,
                },
                ..base()
            },
            "period",
        ),
        (
            DescentSettings {
                rule: Rule::Ranger {
                    period: 6,
                    share: 0.0,
                },
                ..base()
            },
            "share",
        ),
    ];
    for (settings, name) in cases {
        let error = Descent::<f64>::new(settings, vec![0.0], &Unconstrained).unwrap_err();
        assert!(error.to_string().starts_with(name), "{error}");
    }
}

#[test]
fn settings_of_searches_are_checked() {
    let base = LbfgsSettings::default;
    let cases = [
        (
            LbfgsSettings {
                first_step: 0.0,
                ..base()
            },
            "first step",
        ),
        (
            LbfgsSettings {
                decrease: 0.5,
                ..base()
            },
            "decrease",
        ),
        (
            LbfgsSettings {
                curvature: -0.1,
                ..base()
            },
            "curvature",
        ),
        (
            LbfgsSettings {
                trials: 0,
                ..base()
            },
            "trials",
        ),
        (
            LbfgsSettings {
                value_tolerance: f64::NAN,
                ..base()
            },
            "value",
        ),
    ];
    for (settings, name) in cases {
        let error = Lbfgs::new(settings, vec![0.0], &Unconstrained).unwrap_err();
        assert!(error.to_string().starts_with(name), "{error}");
    }
    let settings = LeastSquaresSettings {
        first_step: 0.0,
        ..LeastSquaresSettings::default()
    };
    assert!(LevenbergMarquardt::new(settings, vec![0.0], &Unconstrained).is_err());
}

#[test]
fn starts_have_finite_coordinates() {
    for start in [vec![], vec![f64::NAN], vec![0.0, f64::INFINITY]] {
        let descent =
            Descent::<f64>::new(DescentSettings::default(), start.clone(), &Unconstrained);
        let lbfgs = Lbfgs::new(LbfgsSettings::default(), start.clone(), &Unconstrained);
        let fit = LevenbergMarquardt::new(LeastSquaresSettings::default(), start, &Unconstrained);
        for error in [descent.err(), lbfgs.err(), fit.err()] {
            let what = error.unwrap().to_string();
            assert!(what.starts_with("start"), "{what}");
        }
    }
}

/// Refused evaluations leave the state as it was.
#[test]
fn evaluations_that_do_not_fit_are_refused() {
    let slope = |coordinates: usize| Slope {
        fitness: 1.0,
        gradient: vec![1.0; coordinates],
    };
    let start = || vec![0.0; 3];
    let mut descent = Descent::new(DescentSettings::default(), start(), &Unconstrained).unwrap();
    let mut lbfgs = Lbfgs::new(LbfgsSettings::default(), start(), &Unconstrained).unwrap();
    let settings = LeastSquaresSettings::default();
    let mut fit = LevenbergMarquardt::new(settings, start(), &Unconstrained).unwrap();
    let bounds = Bounds::uniform(2, 0.0, 1.0).unwrap();
    let mut evolved = evolution(EvolutionSettings::default(), bounds).unwrap();
    let before = (descent.clone(), lbfgs.clone(), fit.clone(), evolved.clone());
    let rows = |rows: usize, columns: usize| Rows {
        residuals: vec![1.0; 4],
        jacobian: vec![vec![1.0; columns]; rows],
    };
    let count = |error: OptimizeError| matches!(error, OptimizeError::Count { .. });
    let length = |error: OptimizeError| matches!(error, OptimizeError::Length { .. });
    let set = &Unconstrained;
    assert!(count(descent.tell(vec![], set).unwrap_err()));
    assert!(length(descent.tell(vec![slope(2)], set).unwrap_err()));
    assert!(count(
        lbfgs.tell(vec![slope(3), slope(3)], set).unwrap_err()
    ));
    assert!(length(lbfgs.tell(vec![slope(4)], set).unwrap_err()));
    assert!(count(fit.tell(vec![], set).unwrap_err()));
    assert!(length(fit.tell(vec![rows(3, 3)], set).unwrap_err()));
    assert!(length(fit.tell(vec![rows(4, 2)], set).unwrap_err()));
    assert!(count(evolved.tell(vec![0.0; 49], set).unwrap_err()));
    assert_eq!((descent, lbfgs, fit, evolved), before);
}
