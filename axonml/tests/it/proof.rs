//! What is delivered, and what its proof says.

use axonml::Device;
use axonml::optimization::{Order, Unwatched, optimize};
use axonml::study::{Machine, Study};

/// A search on fibers that are too short to tell montages apart as long fibers do: what is delivered misclassifies no more
/// than any montage all the same.
#[test]
fn a_montage_that_proves_better_is_delivered() {
    let nerve = concat!(env!("CARGO_MANIFEST_DIR"), "/../examples/nerves/N2");
    let text = format!(
        "fibers.nodes = 15\n\
         field.nerve = {nerve:?}\n\
         numerics.tstop_ms = 1.5\n\
         robust.copies = 0\n\
         [protocol]\n\
         kind = \"optimize\"\n\
         method = \"scan\"\n"
    );
    let machine = Machine::new(Device::cpu().unwrap());
    let order = Order::new(Study::from_toml(&text).unwrap());
    let record = optimize(&order, &machine, &mut Unwatched)
        .unwrap()
        .remove(0);
    let result = record.result;
    let least = result.baselines.values().map(|of| of.misclassified);
    let least = least.fold(f64::INFINITY, f64::min);
    assert!(result.misclassified <= least + 1e-9, "{result:?}");
    // It is the best tripolar montage here, and the search took another.
    assert_eq!(result.method, "scan, then a montage");
    let tripolar = &result.baselines["tripolar"];
    assert!(tripolar.misclassified < result.baselines["best"].misclassified - 0.01);
    let delivered = result.amplitudes_ma.iter().zip(&tripolar.amplitudes_ma);
    for (found, of_montage) in delivered {
        assert!((found - of_montage).abs() < 1e-6, "{found} {of_montage}");
    }
}
