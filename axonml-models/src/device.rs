//! Selects the backend that runs a simulation; the only place where backends are linked.

use std::sync::Arc;

use axonml_autodiff::engine::Backend;

use crate::SimulationError;

/// A backend chosen at run time.
#[derive(Clone)]
pub struct Device {
    backend: Arc<dyn Backend>,
    /// Reason for not using a better device; none where none was looked for.
    passed_over: Option<Arc<str>>,
}

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
    /// The best backend that can be used here: a CUDA device if this build has the feature `cuda` and one is usable,
    /// else the processor. [`Device::passed_over`] returns the reason for not using a GPU.
    ///
    /// # Errors
    /// [`SimulationError::Device`] if no backend can be used.
    pub fn auto() -> Result<Device, SimulationError> {
        let looked_for = cfg!(feature = "cuda");
        Device::cuda(0).or_else(|problem| {
            let device = Device::cpu()?;
            Ok(Device {
                passed_over: looked_for.then(|| problem.to_string().into()),
                ..device
            })
        })
    }

    /// The reason for which [`Device::auto`] did not use a GPU; none where it did, or this build cannot use any.
    pub fn passed_over(&self) -> Option<&str> {
        self.passed_over.as_deref()
    }

    fn of(backend: impl Backend + 'static) -> Device {
        Device {
            backend: Arc::new(backend),
            passed_over: None,
        }
    }

    /// The processor.
    ///
    /// # Errors
    /// [`SimulationError::Device`] if this build was made without the feature `cpu`.
    pub fn cpu() -> Result<Device, SimulationError> {
        #[cfg(feature = "cpu")]
        return Ok(Device::of(axonml_cpu::CpuBackend::new()));
        #[cfg(not(feature = "cpu"))]
        Err(SimulationError::Device(CPU_ABSENT.into()))
    }

    /// The processor, on a number of threads of its own; a pool that others share goes in by
    /// [`Device::custom`] and `CpuBackend::with_pool`. Results do not depend on it.
    ///
    /// # Errors
    /// As [`Device::cpu`]; also if the threads cannot be started.
    pub fn cpu_with_threads(threads: usize) -> Result<Device, SimulationError> {
        #[cfg(feature = "cpu")]
        return Ok(Device::of(
            axonml_cpu::CpuBackend::new().with_threads(threads)?,
        ));
        #[cfg(not(feature = "cpu"))]
        {
            let _ = threads;
            Err(SimulationError::Device(CPU_ABSENT.into()))
        }
    }

    /// The scalar reference on the processor: slow; the other backends are compared with it.
    ///
    /// # Errors
    /// As [`Device::cpu`].
    pub fn reference() -> Result<Device, SimulationError> {
        #[cfg(feature = "cpu")]
        return Ok(Device::of(axonml_cpu::Reference));
        #[cfg(not(feature = "cpu"))]
        Device::cpu()
    }

    /// A CUDA device by number.
    ///
    /// # Errors
    /// [`SimulationError::Device`] with the reason: feature, driver, device, compiler.
    pub fn cuda(ordinal: usize) -> Result<Device, SimulationError> {
        #[cfg(feature = "cuda")]
        return match axonml_cuda::CudaBackend::new(ordinal) {
            Ok(backend) => Ok(Device::of(backend)),
            Err(error) => Err(SimulationError::Device(error.to_string())),
        };
        #[cfg(not(feature = "cuda"))]
        {
            let _ = ordinal;
            Err(SimulationError::Device(CUDA_ABSENT.into()))
        }
    }

    /// The generated CUDA kernels run on the processor: for verification where there is no device.
    ///
    /// # Errors
    /// [`SimulationError::Device`] if this build lacks the feature `cuda`, or there is no C++ compiler.
    pub fn host_kernels() -> Result<Device, SimulationError> {
        #[cfg(feature = "cuda")]
        return match axonml_cuda::HostKernels::new() {
            Ok(backend) => Ok(Device::of(backend)),
            Err(error) => Err(SimulationError::Device(error.to_string())),
        };
        #[cfg(not(feature = "cuda"))]
        Err(SimulationError::Device(CUDA_ABSENT.into()))
    }

    /// Any other backend.
    pub fn custom(backend: impl Backend + 'static) -> Device {
        Device::of(backend)
    }

    /// A device by the name the command line uses: `auto`, `cpu`, `cuda` or `cuda:N`.
    ///
    /// # Errors
    /// [`SimulationError::Device`] if it does not exist or is not available, and why.
    pub fn named(name: &str) -> Result<Device, SimulationError> {
        let unknown = || {
            SimulationError::Device(format!(
                "unknown backend `{name}`; valid: auto, cpu, cuda, cuda:N"
            ))
        };
        match name.split_once(':') {
            None if name == "auto" => Device::auto(),
            None if name == "cpu" => Device::cpu(),
            None if name == "cuda" => Device::named("cuda:0"),
            Some(("cuda", ordinal)) => {
                let ordinal = ordinal.parse().map_err(|_| unknown())?;
                Device::cuda(ordinal).map_err(|error| {
                    SimulationError::Device(format!(
                        "backend `{name}` is not available: {error}; use `cpu`"
                    ))
                })
            }
            _ => Err(unknown()),
        }
    }

    /// Name with instruction set or device.
    pub fn name(&self) -> String {
        self.backend.name()
    }

    /// The devices that this build can use on this machine, and the reasons for those that it cannot.
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
        std::iter::once(cpu).chain(cuda_report()).collect()
    }

    /// Whether it runs simulations with tables of rates
    /// ([`RateEvaluation::Table`](crate::RateEvaluation::Table)).
    pub fn has_tables(&self) -> bool {
        self.backend().has_tables()
    }

    pub(crate) fn backend(&self) -> &dyn Backend {
        &*self.backend
    }
}

/// One line per CUDA device, or one line with the reason for which there is none.
#[cfg(feature = "cuda")]
fn cuda_report() -> Vec<DeviceReport> {
    let line = |status: axonml_cuda::DeviceStatus| {
        let name = status.device.map(|device| device.to_string());
        let detail = [name, status.problem.clone()]
            .into_iter()
            .flatten()
            .collect::<Vec<_>>()
            .join(": ");
        DeviceReport {
            backend: "cuda",
            available: status.problem.is_none(),
            detail,
        }
    };
    axonml_cuda::CudaDevice::list()
        .into_iter()
        .map(line)
        .collect()
}

#[cfg(not(feature = "cuda"))]
fn cuda_report() -> Vec<DeviceReport> {
    vec![DeviceReport {
        backend: "cuda",
        available: false,
        detail: CUDA_ABSENT.into(),
    }]
}

#[cfg(not(feature = "cpu"))]
const CPU_ABSENT: &str =
    "this build has no CPU backend; build with the feature `cpu` (it is on by default)";

#[cfg(not(feature = "cuda"))]
const CUDA_ABSENT: &str =
    "this build was made without the feature `cuda` (build with `--features cuda`)";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[cfg(feature = "cpu")]
    fn a_gpu_that_is_looked_for_and_not_there_is_named() {
        let auto = Device::auto().unwrap();
        let on_gpu = auto.name().starts_with("cuda");
        assert_eq!(
            auto.passed_over().is_some(),
            cfg!(feature = "cuda") && !on_gpu
        );
        assert_eq!(Device::cpu().unwrap().passed_over(), None);
    }
}
