//! The columns of results that tell cases apart.

use super::place::Place;
use crate::study::spec::FiberGroup;

/// The columns of the results, and which optional ones there are.
pub(super) struct Layout {
    pub(super) columns: Vec<String>,
    pub(super) groups: bool,
    pub(super) lines: bool,
    pub(super) offsets: bool,
    pub(super) in_nerve: bool,
}

impl Layout {
    pub(super) fn of(groups: &[FiberGroup], place: &Place, grid: &[&'static str]) -> Self {
        let in_nerve = place.nerve().is_some();
        let layout = Layout {
            columns: Vec::new(),
            groups: groups.len() > 1 || groups.iter().any(|group| group.name.is_some()),
            lines: in_nerve && groups.iter().any(|group| group.count.is_some()),
            offsets: groups.iter().any(|group| group.offset_um.is_some()),
            in_nerve,
        };
        let optional = |given: bool, name: &'static str| given.then_some(name);
        let columns = [
            optional(layout.groups, "group"),
            Some(if in_nerve { "nerve" } else { "model" }),
            optional(in_nerve && layout.groups, "model"),
            Some("fiber"),
            optional(layout.lines, "line"),
            Some("diameter_um"),
            Some("n_nodes"),
            optional(layout.offsets, "offset_um"),
        ];
        let columns = columns.into_iter().flatten().chain(grid.iter().copied());
        Layout {
            columns: columns.map(str::to_owned).collect(),
            ..layout
        }
    }
}
