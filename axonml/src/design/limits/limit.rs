//! Limits by their names, and how they are violated.

use std::fmt::{Display, Formatter, Result};

use axonml_core::error::short;

/// A limit, of the contact that it concerns where there is one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Limit {
    /// Least and largest current of a contact, mA.
    Bound {
        /// The contact.
        contact: usize,
    },
    /// The sum of all contacts' currents is 0.
    SumZero,
    /// The charge of a contact adds up to 0.
    Balance {
        /// The contact.
        contact: usize,
    },
    /// Largest charge of a phase, nC.
    Charge {
        /// The contact.
        contact: usize,
    },
    /// Largest k of Shannon.
    Shannon {
        /// The contact.
        contact: usize,
    },
    /// Largest voltage, V.
    Compliance {
        /// The contact.
        contact: usize,
    },
    /// Currents are multiples of a step, mA.
    Dac {
        /// The contact.
        contact: usize,
    },
    /// Largest number of contacts that deliver anything.
    MaxContacts,
    /// The amplitude of a contact is fixed, mA.
    Frozen {
        /// The contact.
        contact: usize,
    },
}

impl Limit {
    fn unit(self) -> &'static str {
        match self {
            Limit::Bound { .. } | Limit::SumZero | Limit::Dac { .. } | Limit::Frozen { .. } => {
                " mA"
            }
            Limit::Balance { .. } | Limit::Charge { .. } => " nC",
            Limit::Compliance { .. } => " V",
            Limit::Shannon { .. } | Limit::MaxContacts => "",
        }
    }
}

impl Display for Limit {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        match self {
            Limit::Bound { contact } => write!(f, "bound of contact {contact}"),
            Limit::SumZero => write!(f, "sum of currents 0"),
            Limit::Balance { contact } => write!(f, "charge balance of contact {contact}"),
            Limit::Charge { contact } => write!(f, "charge per phase of contact {contact}"),
            Limit::Shannon { contact } => write!(f, "Shannon k of contact {contact}"),
            Limit::Compliance { contact } => write!(f, "compliance of contact {contact}"),
            Limit::Dac { contact } => write!(f, "DAC step of contact {contact}"),
            Limit::MaxContacts => write!(f, "number of contacts"),
            Limit::Frozen { contact } => write!(f, "frozen current of contact {contact}"),
        }
    }
}

/// A limit that a stimulus violates.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Violation {
    /// The limit.
    pub limit: Limit,
    /// The number of the stimulus: the worst over steps and phases, in the unit of the limit.
    pub found: f64,
    /// The number nearest to it that the limit allows.
    pub allowed: f64,
}

impl Display for Violation {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        let unit = self.limit.unit();
        let (found, allowed) = (short(self.found), short(self.allowed));
        write!(
            f,
            "{}: found {found}{unit}, allowed {allowed}{unit}",
            self.limit
        )
    }
}
