//! The cross-section of a nerve in a cuff.

use std::f64::consts::{PI, TAU};

use super::axes::extremes;
use super::format;
use super::nerve_data::{Contact, ContactShape, NervePlot};
use super::scene::{Anchor, Area, Point, Scene, Shape, Stroke, Text};
use super::theme;

/// A fiber in the cross-section.
#[derive(Clone, Debug)]
pub(super) struct Spot {
    pub(super) x_mm: f64,
    pub(super) y_mm: f64,
    pub(super) outcome: Outcome,
    pub(super) hint: String,
}

/// Response of a fiber.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Outcome {
    /// It has a threshold, at this fraction of the color scale.
    Fired(f64),
    /// It has none.
    Silent,
}

/// The parts that all cross-sections of a picture share, and how millimeters become pixels.
pub(super) struct Section<'a> {
    nerve: &'a NervePlot,
    center_mm: Point,
    px_per_mm: f64,
    cuff_mm: f64,
    /// Contacts that would overlap lie in different lanes, 0 being the innermost.
    lanes: Vec<usize>,
    /// Radius of a fiber, px.
    pub(super) spot_px: f64,
}

/// Thickness of a contact, px.
const CONTACT: f64 = 20.0;
/// Distance between lanes of contacts, px.
const LANE: f64 = 24.0;
/// Lanes at most; further contacts share the last.
const LANES: usize = 4;

impl<'a> Section<'a> {
    /// Fits `nerve` into a square of `side` px.
    pub(super) fn new(nerve: &'a NervePlot, side: f64) -> Self {
        let fibers = || nerve.fibers.iter().map(|f| (1e-3 * f.x_um, 1e-3 * f.y_um));
        let known = nerve.nerve_radius_mm.is_some()
            || nerve.cuff_inner_radius_mm.is_some()
            || !nerve.fascicles.is_empty()
            || !nerve.contacts.is_empty();
        let middle = |values: Vec<f64>| extremes(values).map_or(0.0, |(lo, hi)| 0.5 * (lo + hi));
        let center_mm = if known {
            (0.0, 0.0)
        } else {
            (
                middle(fibers().map(|p| p.0).collect()),
                middle(fibers().map(|p| p.1).collect()),
            )
        };
        let from_center = |x: f64, y: f64| (x - center_mm.0).hypot(y - center_mm.1);
        let inside = extremes(
            fibers()
                .map(|(x, y)| 1.06 * from_center(x, y))
                .chain(
                    nerve
                        .fascicles
                        .iter()
                        .map(|f| 1.03 * (f.x_mm.hypot(f.y_mm) + f.radius_mm)),
                )
                .chain(nerve.nerve_radius_mm),
        );
        let inside = inside.map_or(0.0, |found| found.1).max(0.1);
        let cuff_mm = nerve.cuff_inner_radius_mm.unwrap_or(1.06 * inside);
        let points = nerve.contacts.iter().filter_map(|c| match c.shape {
            ContactShape::Point { x_mm, y_mm } => Some(1.08 * x_mm.hypot(y_mm)),
            _ => None,
        });
        let lanes = lanes(&nerve.contacts, cuff_mm);
        let rings = nerve
            .contacts
            .iter()
            .zip(&lanes)
            .filter(|(c, _)| arc(c, cuff_mm).is_some());
        let depth = rings.map(|(_, lane)| lane + 1).max().unwrap_or(0);
        let cuff = nerve
            .cuff_inner_radius_mm
            .or((depth > 0).then_some(cuff_mm));
        let outermost = points.chain(cuff).fold(inside, f64::max);
        let px_per_mm = (0.5 * side - depth as f64 * LANE - 16.0) / outermost;
        let spot_px = spot_radius(fibers().collect(), px_per_mm, side);
        Self {
            nerve,
            center_mm,
            px_per_mm,
            cuff_mm,
            lanes,
            spot_px,
        }
    }

    /// Draws the nerve and `spots` in `area`.
    pub(super) fn draw(&self, scene: &mut Scene, area: Area, spots: &[Spot]) {
        let center = area.center();
        if self.nerve.cuff_inner_radius_mm.is_some() {
            scene.circle(
                center,
                self.cuff_mm * self.px_per_mm,
                None,
                Some(Stroke::new(theme::CUFF, 3.0)),
            );
        }
        if let Some(radius) = self.nerve.nerve_radius_mm {
            let edge = Stroke::new(theme::NERVE_EDGE, 2.0);
            scene.circle(
                center,
                radius * self.px_per_mm,
                Some(theme::NERVE),
                Some(edge),
            );
        }
        for fascicle in &self.nerve.fascicles {
            let (fill, edge) = if fascicle.target {
                (theme::TARGET, Stroke::new(theme::TARGET_EDGE, 3.6))
            } else {
                (theme::FASCICLE, Stroke::new(theme::FASCICLE_EDGE, 1.6))
            };
            let at = self.at(area, fascicle.x_mm, fascicle.y_mm);
            scene.circle(
                at,
                fascicle.radius_mm * self.px_per_mm,
                Some(fill),
                Some(edge),
            );
        }
        for (number, contact) in self.nerve.contacts.iter().enumerate() {
            self.contact(scene, area, number, contact);
        }
        self.spots(scene, area, spots);
    }

    /// The fibers: those without a threshold below, the most excitable on top.
    fn spots(&self, scene: &mut Scene, area: Area, spots: &[Spot]) {
        let mut order: Vec<&Spot> = spots.iter().collect();
        let rank = |spot: &Spot| match spot.outcome {
            Outcome::Silent => f64::INFINITY,
            Outcome::Fired(t) => t,
        };
        order.sort_by(|a, b| rank(b).total_cmp(&rank(a)));
        for spot in order {
            let (fill, edge, width, role) = match spot.outcome {
                Outcome::Fired(t) => (theme::sequential(t), theme::INK, 1.0, "fiber"),
                Outcome::Silent => (theme::PAPER, theme::ABSENT, 2.0, "fiber silent"),
            };
            scene.shapes.push(Shape::Circle {
                center: self.at(area, spot.x_mm, spot.y_mm),
                radius: self.spot_px - 0.5 * width,
                fill: Some(fill),
                alpha: 1.0,
                stroke: Some(Stroke::new(edge, width)),
                role,
                hint: spot.hint.clone(),
            });
        }
    }

    fn contact(&self, scene: &mut Scene, area: Area, number: usize, contact: &Contact) {
        let (color, ink) = match contact.factor {
            f if f > 0.0 => (theme::POSITIVE, theme::PAPER),
            f if f < 0.0 => (theme::NEGATIVE, theme::PAPER),
            _ => (theme::UNUSED, theme::MUTED),
        };
        let (middle, heavy) = match (contact.shape, arc(contact, self.cuff_mm)) {
            (_, Some((theta, half))) => {
                let radius = self.cuff_mm * self.px_per_mm
                    + 0.5 * LANE
                    + 2.0
                    + LANE * self.lanes[number] as f64;
                let n = (half * radius).ceil().max(8.0);
                let on = |angle: f64| {
                    let (x, y) = area.center();
                    (x + radius * angle.cos(), y - radius * angle.sin())
                };
                let points: Vec<Point> = (0..=n as usize)
                    .map(|i| on(theta - half + 2.0 * half * i as f64 / n))
                    .collect();
                scene.line(&points, Stroke::new(color, CONTACT));
                (on(theta), true)
            }
            (ContactShape::Point { x_mm, y_mm }, _) => {
                let at = self.at(area, x_mm, y_mm);
                scene.circle(at, 0.5 * CONTACT, Some(color), None);
                (at, true)
            }
            _ => return,
        };
        let label = Text::new((middle.0, middle.1 + 5.6), 15.5, number.to_string());
        let label = label.anchor(Anchor::Middle).color(ink);
        scene.text(if heavy { label.bold() } else { label });
    }

    /// A bar of a round length in the lower left corner of `area`.
    pub(super) fn scale_bar(&self, scene: &mut Scene, area: Area) {
        let most = 0.22 * area.w / self.px_per_mm;
        let unit = 10_f64.powf(most.log10().floor());
        let length = [5.0, 2.0, 1.0]
            .map(|m| m * unit)
            .into_iter()
            .find(|l| *l <= most)
            .unwrap_or(unit);
        let (x, y, w) = (area.x + 4.0, area.bottom() - 4.0, length * self.px_per_mm);
        scene.line(&[(x, y), (x + w, y)], Stroke::new(theme::INK, 3.0));
        let text = if length < 0.1 {
            format!("{} µm", format::short(1e3 * length, 3))
        } else {
            format!("{} mm", format::short(length, 3))
        };
        scene.text(Text::new((x, y - 10.0), theme::NOTE, text).color(theme::MUTED));
    }

    /// The pixel of a place in the nerve.
    pub(super) fn at(&self, area: Area, x_mm: f64, y_mm: f64) -> Point {
        let (x, y) = area.center();
        (
            x + (x_mm - self.center_mm.0) * self.px_per_mm,
            y - (y_mm - self.center_mm.1) * self.px_per_mm,
        )
    }
}

/// The middle of a contact on the cuff and half the angle it covers, radians.
fn arc(contact: &Contact, cuff_mm: f64) -> Option<(f64, f64)> {
    let (theta, half) = match contact.shape {
        ContactShape::Disc {
            theta_deg,
            diameter_mm,
        } => (theta_deg, 0.5 * diameter_mm / cuff_mm),
        ContactShape::Ring { theta_deg, arc_deg } => (theta_deg, 0.5 * arc_deg.to_radians()),
        ContactShape::Point { .. } => return None,
    };
    Some((theta.to_radians(), half.min(PI)))
}

/// The innermost lane for each contact in which it is clear of the earlier ones.
fn lanes(contacts: &[Contact], cuff_mm: f64) -> Vec<usize> {
    let gap = 3.0_f64.to_radians();
    let mut taken: Vec<(usize, f64, f64)> = Vec::new();
    let mut lanes = Vec::with_capacity(contacts.len());
    for contact in contacts {
        let Some((theta, half)) = arc(contact, cuff_mm) else {
            lanes.push(0);
            continue;
        };
        let clear = |lane: usize| {
            taken
                .iter()
                .filter(|t| t.0 == lane)
                .all(|(_, other, other_half)| {
                    let apart = (theta - other).rem_euclid(TAU);
                    apart.min(TAU - apart) >= half + other_half + gap
                })
        };
        let lane = (0..LANES).find(|lane| clear(*lane)).unwrap_or(LANES - 1);
        taken.push((lane, theta, half));
        lanes.push(lane);
    }
    lanes
}

/// A radius at which most neighboring fibers do not touch, px.
fn spot_radius(fibers_mm: Vec<Point>, px_per_mm: f64, side: f64) -> f64 {
    let nearest = |(i, a): (usize, &Point)| {
        let others = fibers_mm.iter().enumerate().filter(|(j, _)| *j != i);
        others
            .map(|(_, b)| (a.0 - b.0).hypot(a.1 - b.1))
            .fold(f64::INFINITY, f64::min)
    };
    let few = fibers_mm.len() <= 2_000; // the search is quadratic, and beyond this the least radius is right anyway
    let mut distances: Vec<f64> = if few {
        fibers_mm.iter().enumerate().map(nearest).collect()
    } else {
        vec![0.0]
    };
    distances.sort_by(f64::total_cmp);
    let typical = distances
        .get(distances.len() / 2)
        .copied()
        .unwrap_or(f64::INFINITY);
    (0.47 * typical * px_per_mm).clamp(4.5, 7.0 + 0.006 * side)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn overlapping_contacts_take_different_lanes() {
        let disc = |theta_deg| Contact {
            shape: ContactShape::Disc {
                theta_deg,
                diameter_mm: 2.0,
            },
            factor: 0.0,
        };
        let six = [0.0, 120.0, 240.0, 60.0, 180.0, 300.0].map(disc);
        assert_eq!(lanes(&six, 1.4), [0, 0, 0, 1, 1, 1]);
        let ring = Contact {
            shape: ContactShape::Ring {
                theta_deg: 0.0,
                arc_deg: 270.0,
            },
            factor: 1.0,
        };
        assert_eq!(lanes(&[ring; 6], 1.4), [0, 1, 2, 3, 3, 3]);
    }
}
