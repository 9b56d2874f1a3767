//! The kernels of every model against the scalar reference.

use axonml_autodiff::engine::{Backend, FiberOutcome, Observation, Rollout};
use axonml_autodiff::ir::Precision;
use axonml_cpu::{CpuBackend, Reference};
use axonml_cuda::ThreadOrder;
use axonml_models::{Ends, Fiber};

use crate::cases::{
    assert_observations, host_kernels, largest_difference, models, myelinated, rollout, rollout_of,
    rollout_with_ends,
};

/// A step of the publications' size.
const DT_MS: f64 = 0.005;

#[test]
fn a_thousand_double_precision_steps_agree_with_the_reference() {
    let Some(kernels) = host_kernels() else {
        return;
    };
    for model in models() {
        let id = model.schema().id;
        let rollout = rollout(&id, DT_MS, 1000, Precision::F64);
        let expected = Reference.run(&rollout).unwrap().fibers;
        let found = kernels.run(&rollout).unwrap().fibers;
        let error = largest_difference(&found, &expected);
        println!("{id}: largest relative difference {error:.1e}");
        assert!(error < 1e-10, "{id}: {error:e}");
        for (found, expected) in found.iter().zip(&expected) {
            assert_observations(found, expected, 1e-7);
        }
    }
}

#[test]
fn spikes_in_single_precision_come_within_a_microsecond() {
    let Some(kernels) = host_kernels() else {
        return;
    };
    for model in models() {
        let id = model.schema().id;
        assert_spikes_agree(&id, &kernels, rollout(&id, DT_MS, 600, Precision::F32));
    }
}

/// Spikes of a run in single precision come within a microsecond of those of the reference in double precision.
fn assert_spikes_agree(id: &str, backend: &dyn Backend, mut rollout: Rollout) {
    let found = backend.run(&rollout).unwrap().fibers;
    rollout.precision = Precision::F64;
    let expected = Reference.run(&rollout).unwrap().fibers;
    let (mut spikes, mut worst) = (0, 0.0_f64);
    for (found, expected) in found.iter().zip(&expected) {
        let raster = |outcome: &FiberOutcome| {
            let Observation::Raster(crossings) = &outcome.observations[2] else {
                panic!("observer 2 is a raster")
            };
            let mut crossings = crossings.clone();
            crossings.sort_by(|a, b| a.node.cmp(&b.node).then(a.state.cmp(&b.state)));
            crossings
        };
        let (found, expected) = (raster(found), raster(expected));
        assert_eq!(found.len(), expected.len(), "{id}");
        for (found, expected) in found.iter().zip(&expected) {
            assert_eq!(found.node, expected.node);
            worst = worst.max((found.time_ms - expected.time_ms).abs());
            spikes += 1;
        }
    }
    println!(
        "{id}: {spikes} spikes, largest shift {:.1e} us",
        1e3 * worst
    );
    assert!(spikes > 0 && worst < 1e-3, "{id}: {worst} ms");
}

/// Ends without membrane and link break no solver, in either precision: fibers of one, two, three and ten nodes per lane.
#[test]
fn passive_ends_agree_with_the_reference() {
    let Some(kernels) = host_kernels() else {
        return;
    };
    let cpu = CpuBackend::new();
    let backends: [&dyn Backend; 2] = [&kernels, &cpu];
    for (id, fibers) in [
        ("sundt", [(0.8, 31), (1.0, 64), (1.2, 90), (1.0, 300)]),
        ("sweeney", [(5.7, 21), (8.7, 53), (10.0, 75), (10.0, 300)]),
    ] {
        let fibers: Vec<Fiber> = fibers.map(|(d, n)| Fiber::new(d, n)).to_vec();
        let with = |precision: Precision| {
            let passive = (fibers.clone(), Ends::Passive);
            rollout_with_ends(id, passive, DT_MS, 600, precision)
        };
        let rollout = with(Precision::F64);
        let expected = Reference.run(&rollout).unwrap().fibers;
        for backend in backends {
            let found = backend.run(&rollout).unwrap().fibers;
            let error = largest_difference(&found, &expected);
            println!("{id}: largest relative difference {error:.1e}");
            assert!(error < 1e-10, "{id}: {error:e}");
            for (found, expected) in found.iter().zip(&expected) {
                assert_observations(found, expected, 1e-7);
            }
            assert_spikes_agree(id, backend, with(Precision::F32));
        }
    }
}

#[test]
fn long_fibers_agree_with_the_reference() {
    let Some(kernels) = host_kernels() else {
        return;
    };
    for model in models() {
        let id = model.schema().id;
        let diameter = if myelinated(&id) { 10.0 } else { 1.0 };
        // Four and ten nodes per lane, a whole warp exactly, and a short one.
        let fibers = [101, 300, 32, 11]
            .map(|nodes| Fiber::new(diameter, nodes))
            .to_vec();
        let mut rollout = rollout_of(&id, fibers, DT_MS, 300, Precision::F64);
        for spec in &mut rollout.observers {
            if let axonml_autodiff::engine::NodeSelection::Nodes(list) = &mut spec.nodes {
                *list = vec![2, 0, -1];
            }
        }
        let expected = Reference.run(&rollout).unwrap().fibers;
        let found = kernels.run(&rollout).unwrap().fibers;
        let error = largest_difference(&found, &expected);
        assert!(error < 1e-10, "{id}: {error:e}");
        for (found, expected) in found.iter().zip(&expected) {
            assert_observations(found, expected, 1e-7);
        }
    }
}

#[test]
fn the_order_of_threads_changes_no_bit() {
    let orders = [
        ThreadOrder::Reverse,
        ThreadOrder::Random(1),
        ThreadOrder::Random(20),
    ];
    let Some(kernels) = host_kernels() else {
        return;
    };
    for id in ["mrg", "two-mode", "smf", "hh"] {
        let rollout = rollout(id, DT_MS, 300, Precision::F32);
        let expected = kernels.run(&rollout).unwrap();
        for order in orders {
            let found = kernels.clone().order(order).run(&rollout).unwrap();
            assert_eq!(found, expected, "{id} {order:?}");
        }
    }
}

#[test]
fn companions_and_launches_change_no_bit() {
    let Some(kernels) = host_kernels() else {
        return;
    };
    // Little memory: a launch for every fiber.
    let small = kernels.clone().memory_bytes(256 << 10);
    for precision in [Precision::F32, Precision::F64] {
        let rollout = rollout("mrg", DT_MS, 250, precision);
        let many = rollout.select([0, 1, 2, 3, 2, 1, 0, 0, 2, 1, 3].into_iter());
        let together = kernels.run(&many).unwrap().fibers;
        let apart = small.run(&many).unwrap().fibers;
        assert_eq!(together, apart);
        let alone = kernels
            .run(&rollout.select([2].into_iter()))
            .unwrap()
            .fibers;
        assert_eq!(alone[0], together[2]);
        assert_eq!(alone[0], together[4]);
    }
}
