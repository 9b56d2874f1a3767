//! Choices that have names.

use std::fmt;
use std::str::FromStr;

use super::written::{as_text, unknown};

/// Defines an enumeration whose values are written by name.
macro_rules! named {
    ($(#[$about:meta])* $name:ident { $($(#[$doc:meta])* $variant:ident = $text:literal,)+ }) => {
        $(#[$about])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum $name {
            $($(#[$doc])* $variant,)+
        }

        impl $name {
            /// All of them.
            pub const ALL: &[$name] = &[$($name::$variant,)+];

            /// Its name in studies and flags.
            pub fn name(self) -> &'static str {
                match self {
                    $($name::$variant => $text,)+
                }
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.name())
            }
        }

        impl FromStr for $name {
            type Err = String;

            fn from_str(text: &str) -> Result<Self, String> {
                let mut all = Self::ALL.iter().copied();
                all.find(|value| value.name() == text.trim())
                    .ok_or_else(|| unknown(text, Self::ALL.iter().map(|value| value.name())))
            }
        }

        as_text!($name);
    };
}

named! {
    /// How stimuli are looked for.
    Method {
        /// Thresholds of all montages.
        Scan = "scan",
        /// Gradient descent from several starts.
        Gd = "gd",
        /// Differential evolution.
        De = "de",
    }
}

named! {
    /// Objective of an optimization.
    ObjectiveSpec {
        /// Misclassified area at the best scale, then the separation.
        Selective = "selective",
        /// Highest threshold of a target over the lowest of another fiber.
        Margin = "margin",
        /// Misclassified area at the best scale.
        Area = "area",
        /// Weighted binary cross-entropy of the activation as delivered.
        Wbce = "wbce",
        /// 1 less the weighted Jaccard index of activation and targets.
        Jaccard = "jaccard",
        /// 1 less the weighted Dice coefficient of activation and targets.
        Dice = "dice",
        /// Weighted share of fibers whose activation is not what is wanted.
        Hamming = "hamming",
        /// Summed m gates at the detection sites: off-targets over targets.
        Quotient = "quotient",
    }
}

impl ObjectiveSpec {
    /// Whether differential evolution needs the activation as delivered, and no thresholds.
    pub fn is_of_activation(self) -> bool {
        matches!(
            self,
            ObjectiveSpec::Wbce
                | ObjectiveSpec::Jaccard
                | ObjectiveSpec::Dice
                | ObjectiveSpec::Hamming
                | ObjectiveSpec::Quotient
        )
    }
}

named! {
    /// Costs of a stimulus that do not depend on fibers.
    PenaltyName {
        /// Charge, uC: the sum over contacts of that of the larger phase.
        Charge = "charge",
        /// Energy, mA2 ms.
        Energy = "energy",
        /// Largest current of a contact, mA.
        Peak = "peak",
        /// Integral of the squared slope of the currents, (mA/ms)2.
        Smooth = "smooth",
        /// Number of contacts whose current is not 0.
        Contacts = "contacts",
    }
}

named! {
    /// An unknown of a stimulus.
    Varied {
        /// Amplitude of the waveform at each contact.
        Amplitude = "amplitude",
        /// Width of the first phase.
        Pw = "pw",
        /// Pause between the phases.
        Gap = "gap",
        /// Width of the second phase relative to that of the first.
        Asymmetry = "asymmetry",
        /// The current of each contact in each sample of a window.
        Samples = "samples",
    }
}

named! {
    /// The rule of a descent's updates.
    DescentRule {
        /// Adam.
        Adam = "adam",
        /// Rectified Adam with lookahead.
        Ranger = "ranger",
        /// Limited-memory BFGS.
        Lbfgs = "lbfgs",
    }
}

named! {
    /// The course of the learning rate.
    ScheduleSpec {
        /// It stays.
        Constant = "constant",
        /// It falls along half a cosine.
        Cosine = "cosine",
        /// It falls by the same factor in each step.
        Exponential = "exponential",
    }
}

named! {
    /// Treatment of numbers of a trial that lie beyond their bounds.
    BoundarySpec {
        /// The trial is made anew of other members.
        Resample = "resample",
        /// The bound takes its place.
        Clip = "clip",
        /// It is mirrored at the bound.
        Reflect = "reflect",
        /// It comes in again at the other bound.
        Wrap = "wrap",
        /// The middle between the parent's number and the bound takes its place.
        Midpoint = "midpoint",
        /// It is drawn anew between the bounds.
        Reinit = "reinit",
    }
}

named! {
    /// Wanted response of a group of fibers.
    Want {
        /// As the targets say of the line that a fiber lies on.
        Target = "target",
        /// All of them should fire.
        Activate = "activate",
        /// None of them should fire.
        Spare = "spare",
        /// They may fire; they count for nothing.
        Ignore = "ignore",
    }
}

named! {
    /// How nodes of perturbed copies are shifted along the nerve.
    OffsetNoise {
        /// Uniformly within half a node spacing to either side.
        Uniform = "uniform",
        /// They stay.
        None = "none",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_and_the_nearest_is_offered() {
        assert_eq!("area".parse(), Ok(ObjectiveSpec::Area));
        for objective in ObjectiveSpec::ALL {
            assert_eq!(objective.to_string().parse(), Ok(*objective));
        }
        let wrong = "slective".parse::<ObjectiveSpec>().unwrap_err();
        assert!(
            wrong.contains(
                "found `slective` (did you mean `selective`?), expected selective, margin"
            ),
            "{wrong}"
        );
    }
}
