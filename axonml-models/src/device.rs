//! Which backend runs a simulation: the one place where backends are linked.

use std::sync::Arc;

use axonml_autodiff::Backend;

use crate::SimulationError;

/// A backend chosen at run time.
#[derive(Clone)]
pub struct Device(Arc<dyn Backend>);

impl std::fmt::Debug for Device {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Device({})", self.name())
    }
}

/// One line of the list of devices.
#[derive(Clone, Debug, PartialEq, serde::Serialize)]
pub struct DeviceReport {
    /// `cpu`, `cuda`.
    pub backend: &'static str,
    /// Whether this build can use it here.
    pub available: bool,
    /// Instruction sets or device name, or why it is not available.
    pub detail: String,
}

impl Device {
    /// The best backend there is.
    ///
    /// # Errors
    /// [`SimulationError::Device`] if no backend is compiled in.
    pub fn auto() -> Result<Device, SimulationError> {
        Device::cpu()
    }

    /// The processor.
    ///
    /// # Errors
    /// [`SimulationError::Device`] if this build was made without the feature `cpu`.
    pub fn cpu() -> Result<Device, SimulationError> {
        #[cfg(feature = "cpu")]
        return Ok(Device(Arc::new(axonml_cpu::CpuBackend::new())));
        #[cfg(not(feature = "cpu"))]
        Err(SimulationError::Device(
            "this build has no CPU backend; build with the feature `cpu` (it is on by default)"
                .into(),
        ))
    }

    /// Any other backend: the scalar reference, or one of the user's own.
    pub fn custom(backend: impl Backend + 'static) -> Device {
        Device(Arc::new(backend))
    }

    /// A device by the name the command line uses: `auto`, `cpu`, `cuda` or `cuda:N`.
    ///
    /// # Errors
    /// [`SimulationError::Device`] if it does not exist or is not available, and why.
    pub fn named(name: &str) -> Result<Device, SimulationError> {
        match name {
            "auto" => Device::auto(),
            "cpu" => Device::cpu(),
            _ if name == "cuda" || name.starts_with("cuda:") => Err(SimulationError::Device(
                format!("backend `{name}` is not available: {CUDA_ABSENT}; use `--backend cpu`"),
            )),
            _ => Err(SimulationError::Device(format!(
                "unknown backend `{name}`; valid: auto, cpu, cuda, cuda:N"
            ))),
        }
    }

    /// Name with instruction set or device.
    pub fn name(&self) -> String {
        self.0.name()
    }

    /// What this build can use on this machine, and why not what it cannot.
    pub fn report() -> Vec<DeviceReport> {
        #[cfg(feature = "cpu")]
        let cpu = {
            let sets: Vec<&str> = axonml_cpu::Isa::available()
                .into_iter()
                .map(axonml_cpu::Isa::name)
                .collect();
            DeviceReport {
                backend: "cpu",
                available: true,
                detail: format!("instruction sets: {}", sets.join(", ")),
            }
        };
        #[cfg(not(feature = "cpu"))]
        let cpu = DeviceReport {
            backend: "cpu",
            available: false,
            detail: "built without the feature `cpu`".into(),
        };
        vec![
            cpu,
            DeviceReport {
                backend: "cuda",
                available: false,
                detail: CUDA_ABSENT.into(),
            },
        ]
    }

    pub(crate) fn backend(&self) -> &dyn Backend {
        &*self.0
    }
}

const CUDA_ABSENT: &str = "this version of axonml has no CUDA backend";
