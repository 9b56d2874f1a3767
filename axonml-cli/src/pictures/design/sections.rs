//! Cross-sections of a nerve under the best montage and under the stimulus found.

use std::collections::BTreeMap;

use axonml::design::{DesignRecord, FiberResult};
use axonml::study::significant;

use super::delivery::{Delivery, Form};
use super::{Detail, figures, has_before, is_scan, montage_words};
use crate::pictures::geometry::cross_section;
use crate::plot::{FiberMark, FiberThresholds, NervePlot, SectionView, SectionsPanel};

/// The cross-sections; none if it is not known where the fibers lie.
pub(super) fn panel(
    record: &DesignRecord,
    delivery: &Delivery,
    detail: Detail,
) -> Option<SectionsPanel> {
    let result = &record.result;
    let placed = places(&result.fibers);
    if placed.fibers.is_empty() {
        return None;
    }
    let every = placed.fibers.len().div_ceil(detail.fibers.max(1));
    let shown: Vec<(&FiberResult, [f64; 2])> =
        placed.fibers.iter().step_by(every).copied().collect();
    let hints = shown.len() <= detail.hints;
    let nerve = |factors: &[f64]| nerve(record, factors, &shown);
    let first = |ma: &f64| delivery.first_phase_ma(*ma);
    let each = result.amplitudes_ma.iter().enumerate();
    let found: Vec<f64> = each
        .map(|(contact, ma)| delivery.sign(contact, *ma))
        .collect();
    let mut views = Vec::new();
    if let Some(best) = result.baselines.get("best").filter(|_| has_before(record)) {
        views.push(SectionView {
            heading: format!("best montage: {}", montage_words(&best.contacts)),
            caption: figures(best.target_pct, best.offtarget_pct, best.separation),
            nerve: nerve(&best.amplitudes_ma.iter().map(first).collect::<Vec<_>>()),
            marks: marks(&shown, hints, |fiber| {
                (fiber.baseline_threshold, fires(fiber.baseline_threshold))
            }),
        });
    }
    views.push(SectionView {
        heading: match is_scan(record) {
            true => "best montage".to_owned(),
            false => format!("found: {}", result.method),
        },
        caption: figures(result.target_pct, result.offtarget_pct, result.separation),
        nerve: nerve(&found),
        marks: marks(&shown, hints, |fiber| (fiber.threshold, fiber.active)),
    });
    let signs = match (delivery.polarity, delivery.form) {
        (Some(_), _) => ["anodic first", "cathodic first"],
        (None, Form::Amplitudes) => ["positive amplitude", "negative amplitude"],
        // How the waveform of montages begins is not known.
        (None, _) if views.len() > 1 => [
            "anodic first (montage: positive)",
            "cathodic first (montage: negative)",
        ],
        (None, _) => ["anodic first", "cathodic first"],
    }
    .map(str::to_owned);
    Some(SectionsPanel {
        views,
        signs,
        note: note(&placed, every),
    })
}

/// The nerve, its contacts with these multiples of a waveform.
fn nerve(record: &DesignRecord, factors: &[f64], shown: &[(&FiberResult, [f64; 2])]) -> NervePlot {
    let geometry = record.geometry.clone().unwrap_or_default();
    let mut plot = cross_section(&geometry, factors);
    // Targets of the request come before those of the nerve's description.
    let known = geometry
        .fascicles
        .iter()
        .enumerate()
        .filter(|(_, f)| f.x_mm.is_some() && f.y_mm.is_some() && f.radius_mm.is_some());
    for ((number, _), fascicle) in known.zip(&mut plot.fascicles) {
        let fibers = record.result.fibers.iter();
        let mut own = fibers
            .filter(|fiber| fiber.fascicle == Some(number))
            .peekable();
        if own.peek().is_some() {
            fascicle.target = own.any(|fiber| fiber.target);
        }
    }
    let fiber = |(fiber, at): &(&FiberResult, [f64; 2])| FiberThresholds {
        x_um: at[0],
        y_um: at[1],
        weight: fiber.weight,
        points: Vec::new(),
    };
    NervePlot {
        fibers: shown.iter().map(fiber).collect(),
        ..plot
    }
}

fn marks(
    shown: &[(&FiberResult, [f64; 2])],
    hints: bool,
    response: impl Fn(&FiberResult) -> (Option<f64>, bool),
) -> Vec<FiberMark> {
    let mark = |(fiber, _): &(&FiberResult, [f64; 2])| {
        let (threshold, active) = response(fiber);
        FiberMark {
            threshold,
            is_target: fiber.target && fiber.weight > 0.0,
            is_wrong: fiber.weight > 0.0 && active != fiber.target,
            hint: match hints {
                true => hint(fiber, threshold),
                false => String::new(),
            },
        }
    };
    shown.iter().map(mark).collect()
}

fn hint(fiber: &FiberResult, threshold: Option<f64>) -> String {
    let kind = if fiber.target { "target" } else { "off-target" };
    let threshold = threshold.filter(|t| t.is_finite() && *t > 0.0);
    let fires = threshold.map_or("never fires".to_owned(), |t| {
        format!("fires from {} times", significant(t, 4))
    });
    let diameter = significant(fiber.diameter_um, 4);
    format!("fiber {}, {diameter} µm, {kind}: {fires}", fiber.fiber)
}

/// Whether a threshold says that the stimulus as delivered fires a fiber.
fn fires(threshold: Option<f64>) -> bool {
    threshold.is_some_and(|least| least <= 1.0)
}

/// Fibers whose places are known, those of one place moved apart, um.
struct Places<'r> {
    fibers: Vec<(&'r FiberResult, [f64; 2])>,
    /// Diameters of the fibers of one place, in their order from the left; empty if each has a place of its own.
    beside: Vec<f64>,
}

/// Part of the distance between places that fibers of one place may take.
const SHARE: f64 = 0.8;
/// Distance between fibers of one place at most, as a part of the nerve's size.
const MOST: f64 = 0.1;
/// Places whose neighbors are looked for; of more, the least distance is taken.
const SEARCHED: usize = 1500;

fn places(fibers: &[FiberResult]) -> Places<'_> {
    let mut by_place: BTreeMap<[u64; 2], Vec<(&FiberResult, [f64; 2])>> = BTreeMap::new();
    for fiber in fibers {
        if let Some(xy) = fiber.xy_um.filter(|xy| xy.iter().all(|v| v.is_finite())) {
            let place = xy.map(f64::to_bits);
            by_place.entry(place).or_default().push((fiber, xy));
        }
    }
    let most = by_place.values().map(Vec::len).max().unwrap_or(0);
    let distinct: Vec<[f64; 2]> = by_place.values().map(|fibers| fibers[0].1).collect();
    let step = if most > 1 { step(&distinct, most) } else { 0.0 };
    let mut placed = Vec::with_capacity(fibers.len());
    let mut beside: Vec<f64> = Vec::new();
    for mut group in by_place.into_values() {
        group.sort_by(|(a, _), (b, _)| a.diameter_um.total_cmp(&b.diameter_um));
        if group.len() == most && most > 1 && beside.is_empty() {
            beside = group.iter().map(|(fiber, _)| fiber.diameter_um).collect();
        }
        let middle = 0.5 * (group.len() as f64 - 1.0);
        for (i, (fiber, [x, y])) in group.into_iter().enumerate() {
            placed.push((fiber, [x + (i as f64 - middle) * step, y]));
        }
    }
    Places {
        fibers: placed,
        beside,
    }
}

/// Distance between fibers of one place, of which there are up to `most`, um.
fn step(places: &[[f64; 2]], most: usize) -> f64 {
    let size = places.iter().map(|[x, y]| x.hypot(*y)).fold(0.0, f64::max);
    let nearest = |(i, a): (usize, &[f64; 2])| {
        let others = places.iter().enumerate().filter(|(j, _)| *j != i);
        let distances = others.map(|(_, b)| (a[0] - b[0]).hypot(a[1] - b[1]));
        distances.fold(f64::INFINITY, f64::min)
    };
    let mut distances: Vec<f64> = match places.len() <= SEARCHED {
        true => places.iter().enumerate().map(nearest).collect(),
        false => Vec::new(),
    };
    distances.sort_by(f64::total_cmp);
    let typical = distances.get(distances.len() / 2).copied();
    let typical = typical.filter(|um| um.is_finite()).unwrap_or(size / 30.0);
    let step = (SHARE * typical / most as f64).min(MOST * size);
    if step > 0.0 { step } else { 20.0 }
}

fn note(placed: &Places<'_>, every: usize) -> String {
    let mut notes = Vec::new();
    if placed.beside.len() > 1 {
        let each: Vec<String> = placed.beside.iter().map(|um| significant(*um, 3)).collect();
        let each = each.join(", ");
        notes.push(format!(
            "Fibers at one place lie beside each other: from the left {each} µm."
        ));
    }
    if every > 1 {
        let all = placed.fibers.len();
        notes.push(format!("One of {every} fibers is drawn ({all} in all)."));
    }
    notes.join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fiber(number: usize, xy: Option<[f64; 2]>, diameter_um: f64) -> FiberResult {
        FiberResult {
            fiber: number,
            xy_um: xy,
            diameter_um,
            ..FiberResult::default()
        }
    }

    #[test]
    fn fibers_of_one_place_are_moved_apart() {
        let (a, b) = (Some([100.0, 0.0]), Some([-100.0, 0.0]));
        let fibers = [
            fiber(0, a, 8.7),
            fiber(0, a, 5.7),
            fiber(1, b, 5.7),
            fiber(2, None, 5.7),
        ];
        let placed = places(&fibers);
        assert_eq!(placed.beside, [5.7, 8.7]);
        assert_eq!(placed.fibers.len(), 3);
        let of = |number: usize, um: f64| {
            let mut all = placed.fibers.iter();
            all.find(|(f, _)| f.fiber == number && f.diameter_um == um)
                .unwrap()
                .1
        };
        // A tenth of a size of 100 um.
        assert_eq!((of(0, 5.7), of(0, 8.7)), ([95.0, 0.0], [105.0, 0.0]));
        assert_eq!(of(1, 5.7), [-100.0, 0.0]);
        assert!(note(&placed, 1).contains("5.7, 8.7 µm"));
        assert!(places(&fibers[3..]).fibers.is_empty());
    }

    #[test]
    fn fibers_that_are_alone_stay_where_they_are() {
        let placed = [
            fiber(0, Some([1.0, 2.0]), 5.7),
            fiber(1, Some([3.0, 4.0]), 5.7),
        ];
        let placed = places(&placed);
        assert_eq!(
            placed.fibers.iter().map(|f| f.1).collect::<Vec<_>>(),
            [[1.0, 2.0], [3.0, 4.0]]
        );
        assert_eq!(note(&placed, 1), "");
    }
}
