use axonml_models::Device;
use axonml_train::dataset::*;
use std::time::Instant;
fn main() {
    let n: usize = std::env::args().nth(1).unwrap().parse().unwrap();
    let every: usize = std::env::args().nth(2).unwrap().parse().unwrap();
    let recipe = Recipe {
        count: n,
        ..Recipe::default()
    };
    let t = Instant::now();
    let cases = Cases::open(&recipe, std::path::Path::new("")).unwrap();
    println!("open {:?}", t.elapsed());
    let device = Device::cpu().unwrap();
    let t = Instant::now();
    let c: Vec<Case> = (0..n).map(|i| cases.case(i).unwrap()).collect();
    println!("draw/1 thread {:?} each", t.elapsed() / n as u32);
    let t = Instant::now();
    for chunk in c.chunks(64) {
        cases.exact(chunk, &device).unwrap();
    }
    println!("exact/1 thread {:?} each", t.elapsed() / n as u32);
    let t = Instant::now();
    for chunk in c.chunks(64) {
        for c in chunk {
            let z: Vec<f64> = (0..573).map(|i| (i as f64 - 286.0) * 100.0).collect();
            cases.basis_mv_per_ma(c, &z, 1000.0).unwrap();
        }
    }
    println!("basis/1 thread {:?} each", t.elapsed() / n as u32);
    let t = Instant::now();
    for chunk in c.chunks(64) {
        axonml_models::Simulation::new(
            axonml_models::model("mrg").unwrap(),
            chunk
                .iter()
                .map(|c| axonml_models::Fiber::new(c.diameter_um, 53))
                .collect(),
            &Default::default(),
            &device,
        )
        .unwrap();
    }
    println!("build/1 thread {:?} each", t.elapsed() / n as u32);
    let t = Instant::now();
    for chunk in c.chunks(64) {
        let (s, st) = cases.exact(chunk, &device).unwrap();
        s.rollout(&st, &[]).unwrap();
    }
    println!("exact+rollout/1 thread {:?} each", t.elapsed() / n as u32);
    let t = Instant::now();
    let mut sum = 0.0f64;
    cases
        .simulate(
            0..n,
            &device,
            &Recording {
                every,
                states: vec![],
            },
            &mut |trace| {
                sum += f64::from(trace.states[[1, 4, 26]]);
                Ok(())
            },
        )
        .unwrap();
    let e = t.elapsed();
    println!(
        "simulate all threads {e:?}; {:?} each; 65536: {:.1} s ({sum})",
        e / n as u32,
        e.as_secs_f64() * 65536.0 / n as f64
    );
}
