//! `axonml optimize` at work: what it finds, keeps, obeys, refuses and reports, on a small nerve.

mod baselines;
mod ends;
mod folders;
mod kinds;
mod limits;
mod refusals;
mod reports;
mod resume;

use serde_json::Value;

use crate::support::Folder;

/// Fibers of the small nerve, mm from its middle: two targets beside the first contact, two others.
const FIBERS_MM: [[f64; 2]; 4] = [[0.4, 0.1], [0.3, -0.2], [-0.3, 0.2], [-0.1, -0.45]];
/// Length of its lines, mm: enough for 53 nodes of 5.7 um.
const LENGTH_MM: f64 = 27.4;
/// Places along each of them.
const SAMPLES: usize = 275;
/// Part of the field that is left at a silent fiber: as much as a field has at least to be taken for one, and too little for
/// any amplitude that is tried.
const SILENT: f64 = 1.6e-3;
/// Impedances of its contacts, ohm.
const OHM: [[f64; 3]; 3] = [
    [1000.0, 300.0, 200.0],
    [300.0, 1100.0, 250.0],
    [200.0, 250.0, 900.0],
];
/// Area of its contacts, discs 1 mm across, cm2.
const AREA_CM2: f64 = std::f64::consts::PI * 0.05 * 0.05;

/// A coarse time step and a short run, so that all of it takes a second.
const QUICK: &str = "--tstop 1.4 --dt 0.04";

/// A nerve of three contacts, point sources 1 mm from its middle, and four fibers, all shifted by `shift_mm`; fibers in
/// `silent` lie where there is hardly any field.
fn nerve(folder: &Folder, name: &str, shift_mm: f64, silent: &[usize]) {
    let along = |at: usize| LENGTH_MM * (at as f64 / (SAMPLES - 1) as f64 - 0.5);
    for contact in 0..3 {
        let (sin, cos) = angle(contact).sin_cos();
        folder.npy(&format!("{name}/{contact}.npy"), &[4, SAMPLES], |i| {
            let (fiber, at) = (i / SAMPLES, i % SAMPLES);
            let [x, y] = FIBERS_MM[fiber];
            let squares = (x + shift_mm - cos).powi(2) + (y - sin).powi(2) + along(at).powi(2);
            // 400 mV at 1 mm of a source of 1 mA.
            let mv = 400.0 / squares.sqrt();
            match silent.contains(&fiber) {
                true => SILENT * mv,
                false => mv,
            }
        });
    }
    folder.npy(&format!("{name}/fiber_z.npy"), &[SAMPLES], |at| {
        1e3 * (along(at) + 0.5 * LENGTH_MM)
    });
    folder.npy(&format!("{name}/fibers_xy.npy"), &[4, 2], |i| {
        1e3 * FIBERS_MM[i / 2][i % 2]
    });
    folder.npy(&format!("{name}/target.npy"), &[4], |fiber| fiber < 2);
    folder.npy(&format!("{name}/weights.npy"), &[4], weight);
    let contacts = (0..3).map(|contact| {
        let (y, x) = angle(contact).sin_cos();
        serde_json::json!({"shape": "disc", "theta_deg": 120 * contact, "z": 0.0, "diameter": 1.0, "x": x, "y": y})
    });
    let geometry = serde_json::json!({
        "name": name,
        "nerve_radius_mm": 0.9,
        "contacts": contacts.collect::<Vec<Value>>(),
        "impedance_ohm": OHM,
    });
    folder.write(&format!("{name}/nerve.json"), geometry.to_string());
}

fn angle(contact: usize) -> f64 {
    2.0 * std::f64::consts::PI * contact as f64 / 3.0
}

/// Share of a fiber of the small nerve.
fn weight(fiber: usize) -> f64 {
    (2 + fiber) as f64 / 14.0
}

/// A folder with the small nerve in `n`.
fn folder(name: &str) -> Folder {
    let folder = Folder::new(&format!("optimize-{name}"));
    nerve(&folder, "n", 0.0, &[]);
    folder
}

/// A short descent in the small nerve.
fn gd(rest: &str) -> String {
    format!("optimize gd --nerve n {QUICK} --steps 2 --robust 0 {rest}")
}

/// A short evolution in the small nerve.
fn de(rest: &str) -> String {
    format!("optimize de --nerve n {QUICK} --population 6 --generations 2 --robust 0 {rest}")
}

/// The best of a folder, of a run that ended by itself.
#[track_caller]
fn done(folder: &Folder, command: &str, into: &str) -> Value {
    let answer = folder
        .axonml(&format!("{command} --save-dir {into}"))
        .done();
    assert!(!answer.stdout.contains("NaN"), "{answer:#?}");
    let best = folder.json(&format!("{into}/best.json"));
    assert_eq!(best["status"], "done", "{best}");
    best
}

fn number(value: &Value) -> f64 {
    value
        .as_f64()
        .unwrap_or_else(|| panic!("{value} is no number"))
}

fn numbers(value: &Value) -> Vec<f64> {
    let list = value.as_array();
    let list = list.unwrap_or_else(|| panic!("{value} is no list"));
    list.iter().map(number).collect()
}

/// Currents by contact and step, mA, and the begin of each step, ms, as waveforms.csv has them.
struct Currents {
    times_ms: Vec<f64>,
    of_contacts: Vec<Vec<f64>>,
}

impl Currents {
    fn read(folder: &Folder, run: &str) -> Self {
        let text = folder.text(&format!("{run}/waveforms.csv"));
        let mut lines = text.lines();
        let header = lines.next().unwrap();
        assert!(header.starts_with("time_ms,contact_0_mA"), "{header}");
        let mut currents = Currents {
            times_ms: Vec::new(),
            of_contacts: vec![Vec::new(); header.split(',').count() - 1],
        };
        for line in lines {
            let mut cells = line.split(',').map(|cell| cell.parse::<f64>().unwrap());
            currents.times_ms.push(cells.next().unwrap());
            for (of_contact, ma) in currents.of_contacts.iter_mut().zip(cells) {
                of_contact.push(ma);
            }
        }
        currents
    }

    /// Duration of a step, ms.
    fn dt_ms(&self) -> f64 {
        let last = self.times_ms.len() - 1;
        self.times_ms[last] / last as f64
    }

    fn peak_ma(&self, contact: usize) -> f64 {
        let each = self.of_contacts[contact].iter();
        each.fold(0.0, |most, ma| most.max(ma.abs()))
    }

    /// Charges of the phases of a contact, nC: of steps in a row with currents of one sign.
    fn phases_nc(&self, contact: usize) -> Vec<f64> {
        let of_contact = &self.of_contacts[contact];
        let phases =
            of_contact.chunk_by(|a, b| a.signum() == b.signum() && (*a == 0.0) == (*b == 0.0));
        let charge = |phase: &[f64]| 1e3 * self.dt_ms() * phase.iter().sum::<f64>();
        phases.map(charge).filter(|nc| *nc != 0.0).collect()
    }

    /// The largest charge of a phase of a contact, nC.
    fn charge_nc(&self, contact: usize) -> f64 {
        let phases = self.phases_nc(contact).into_iter();
        phases.fold(0.0, |most, nc| most.max(nc.abs()))
    }

    /// The largest sum of all contacts' currents, mA.
    fn sum_ma(&self) -> f64 {
        let sum = |step| {
            self.of_contacts
                .iter()
                .map(|of: &Vec<f64>| of[step])
                .sum::<f64>()
        };
        (0..self.times_ms.len()).fold(0.0, |most: f64, step| most.max(sum(step).abs()))
    }

    fn contacts(&self) -> usize {
        self.of_contacts.len()
    }

    fn largest_ma(&self) -> f64 {
        (0..self.contacts()).fold(0.0, |most: f64, contact| most.max(self.peak_ma(contact)))
    }

    /// Contacts that deliver anything.
    fn delivering(&self) -> usize {
        (0..self.contacts())
            .filter(|contact| self.peak_ma(*contact) > 0.0)
            .count()
    }
}
