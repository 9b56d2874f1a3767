//! The modes of an internode: how many there are, and which are even, which odd.

/// Number of modes of an internode: 10 even ones, then 10 odd ones.
pub const MODES: usize = 2 * COMPARTMENTS;

/// Compartments of an internode: MYSA, FLUT, six STIN, FLUT, MYSA.
pub(super) const COMPARTMENTS: usize = 10;

/// Compartments of half an internode.
pub(super) const HALF: usize = COMPARTMENTS / 2;

/// Symmetry of an internodal mode about the middle of the internode.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Parity {
    /// Equal at mirrored places.
    Even,
    /// Opposite at mirrored places.
    Odd,
}

impl Parity {
    /// Parity of mode `mode` of an internode.
    pub fn of(mode: usize) -> Self {
        if mode < COMPARTMENTS {
            Parity::Even
        } else {
            Parity::Odd
        }
    }

    /// Index of the first mode of this parity of an internode.
    pub(super) fn first_mode(self) -> usize {
        match self {
            Parity::Even => 0,
            Parity::Odd => COMPARTMENTS,
        }
    }

    /// 1 for even, -1 for odd modes: the right node's part in the mode, if the left node's is 1.
    pub fn sign(self) -> f64 {
        match self {
            Parity::Even => 1.0,
            Parity::Odd => -1.0,
        }
    }
}
