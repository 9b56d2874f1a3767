#[path = "it/cases.rs"]
mod cases;
#[test]
fn dump() {
    let nvrtc = axonml_cuda::Nvrtc::find(None, None).unwrap();
    for id in ["mrg", "smf", "sundt"] {
        for p in [
            axonml_autodiff::Precision::F32,
            axonml_autodiff::Precision::F64,
        ] {
            let mut r = cases::rollout(id, 0.005, 300, p);
            r.observers.truncate(1);
            r.stop_when_active = Some(0);
            for k in axonml_cuda::KernelSource::for_rollout(&r) {
                let name = format!("/tmp/kernels/{id}_{}_{}", p.name(), k.nodes_per_lane);
                std::fs::create_dir_all("/tmp/kernels").unwrap();
                std::fs::write(format!("{name}.cu"), &k.text).unwrap();
                let c = nvrtc.compile(&k, 90).unwrap();
                std::fs::write(format!("{name}.cubin"), &c.image).unwrap();
                println!(
                    "{name} {}",
                    c.log
                        .lines()
                        .filter(|l| l.contains("registers") || l.contains("spill"))
                        .collect::<Vec<_>>()
                        .join(" ")
                );
            }
        }
    }
}
