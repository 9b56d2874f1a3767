//! CUDA devices: which there are, why one cannot be used, and the backend that runs on one.
#![allow(
    unsafe_code,
    reason = "the driver is a C library that is loaded at run time; launches pass raw arguments"
)]

use std::collections::HashMap;
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use axonml_autodiff::adjoint::{Differentiated, GradientRequest, Objective};
use axonml_autodiff::engine::{Backend, BackendError, Outcome, Rollout};
use axonml_autodiff::ir::Precision;
use cudarc::driver::sys::CUdevice_attribute as Attribute;
use cudarc::driver::{
    CudaContext, CudaFunction, CudaSlice, CudaStream, DriverError, LaunchConfig, PushKernelArg,
    result, sys,
};
use cudarc::nvrtc::Ptx;

use crate::CudaError;
use crate::execute::{Element, Executor, Tables, Word, run};
use crate::gradient::differentiate;
use crate::nvrtc::{CompiledKernel, Nvrtc};
use crate::source::KernelSource;

/// The oldest driver whose functions are known to be complete, as the driver counts: CUDA 12.0.
const OLDEST_DRIVER: i32 = 12_000;

/// The oldest devices whose warps work as the kernels expect: compute capability 7.0.
const OLDEST_ARCHITECTURE: u32 = 70;

/// Most bytes that one launch takes, however large the device: host and device hold it at the same time.
const LARGEST_LAUNCH: usize = 4 << 30;

/// A CUDA device as the driver describes it.
#[derive(Clone, Debug, PartialEq)]
pub struct CudaDevice {
    /// Number by which it is chosen.
    pub ordinal: usize,
    /// Name, as `NVIDIA H200`.
    pub name: String,
    /// Compute capability, as 90 for 9.0.
    pub architecture: u32,
    /// Memory, bytes.
    pub memory_bytes: usize,
}

/// A line of the list of devices: a device, a problem, or a device with a problem.
#[derive(Clone, Debug, PartialEq)]
pub struct DeviceStatus {
    /// The device, if the driver could name one.
    pub device: Option<CudaDevice>,
    /// Why it cannot be used, and how to fix that; none if it can.
    pub problem: Option<String>,
}

impl fmt::Display for CudaDevice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (major, minor) = (self.architecture / 10, self.architecture % 10);
        let gib = self.memory_bytes as f64 / f64::from(1 << 30);
        write!(
            f,
            "cuda:{} {} (compute capability {major}.{minor}, {gib:.0} GiB)",
            self.ordinal, self.name
        )
    }
}

impl CudaDevice {
    /// Reports every device, usable or not; where there is none, one line with the reason.
    pub fn list() -> Vec<DeviceStatus> {
        CudaDevice::list_with(None)
    }

    /// The same with NVRTC at a given path.
    pub fn list_with(nvrtc: Option<&Path>) -> Vec<DeviceStatus> {
        let problem = |error: CudaError| DeviceStatus {
            device: None,
            problem: Some(error.to_string()),
        };
        let driver = match driver_version() {
            Ok(driver) => driver,
            Err(error) => return vec![problem(error)],
        };
        let count = match check("the number of devices", result::device::get_count()) {
            Ok(count) => count,
            Err(error) => return vec![problem(error)],
        };
        if count < 1 {
            let reason = "the driver sees no device (is CUDA_VISIBLE_DEVICES set?)".to_owned();
            return vec![problem(CudaError::NoDevice { reason })];
        }
        let compiler = Nvrtc::find(nvrtc, Some(driver));
        (0..count as usize)
            .map(|ordinal| match describe(ordinal) {
                Ok(device) => {
                    let usable = compiler
                        .as_ref()
                        .map_err(Clone::clone)
                        .and_then(|nvrtc| usable(&device, nvrtc, driver));
                    DeviceStatus {
                        device: Some(device),
                        problem: usable.err().map(|error| error.to_string()),
                    }
                }
                Err(error) => problem(error),
            })
            .collect()
    }
}

/// Version of the driver, once it is loaded and initialized.
fn driver_version() -> Result<i32, CudaError> {
    let none = |reason: String| CudaError::NoDevice { reason };
    // SAFETY: looks for the driver's library; loading it runs the driver's own start-up code, as intended.
    if !unsafe { sys::is_culib_present() } {
        return Err(none(
            "no NVIDIA driver was found (libcuda.so.1 cannot be loaded)".into(),
        ));
    }
    if let Err(error) = result::init() {
        return Err(none(format!(
            "the NVIDIA driver does not start: {:?}",
            error.0
        )));
    }
    let mut version = 0;
    // SAFETY: sets the number it is given.
    let status = unsafe { sys::cuDriverGetVersion(&mut version) };
    check("the driver's version", status.result())?;
    if version < OLDEST_DRIVER {
        return Err(none(format!(
            "the NVIDIA driver supports CUDA {}.{} and 12.0 is needed: update the driver",
            version / 1000,
            version % 1000 / 10
        )));
    }
    Ok(version)
}

fn describe(ordinal: usize) -> Result<CudaDevice, CudaError> {
    let device = check("opening a device", result::device::get(ordinal as i32))?;
    let attribute = |attribute| {
        // SAFETY: the device was returned by the driver.
        let value = unsafe { result::device::get_attribute(device, attribute) };
        check("an attribute of a device", value)
    };
    let major = attribute(Attribute::CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR)?;
    let minor = attribute(Attribute::CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MINOR)?;
    // SAFETY: the device was returned by the driver.
    let memory = unsafe { result::device::total_mem(device) };
    Ok(CudaDevice {
        ordinal,
        name: check("the name of a device", result::device::get_name(device))?,
        architecture: (10 * major + minor) as u32,
        memory_bytes: check("the memory of a device", memory)?,
    })
}

/// Whether kernels for `device` can be compiled and loaded.
fn usable(device: &CudaDevice, nvrtc: &Nvrtc, driver: i32) -> Result<(), CudaError> {
    let refuse = |reason: String| Err(CudaError::NoDevice { reason });
    if device.architecture < OLDEST_ARCHITECTURE {
        return refuse(format!("{device} is too old: 7.0 is needed"));
    }
    let machine_code = nvrtc.makes_machine_code_for(device.architecture)?;
    let (major, minor) = nvrtc.version();
    let newer = 1000 * major + 10 * minor > driver;
    if newer && !machine_code {
        return refuse(format!(
            "NVRTC {major}.{minor} has no machine code for {device}, and is newer than what the driver can translate \
             (CUDA {}.{}): update the driver",
            driver / 1000,
            driver % 1000 / 10
        ));
    }
    Ok(())
}

fn check<T>(call: &'static str, result: Result<T, DriverError>) -> Result<T, CudaError> {
    // The error's own text would call the driver again.
    result.map_err(|error| CudaError::Driver {
        call,
        problem: format!("{:?}", error.0),
    })
}

/// Simulates on a CUDA device.
pub struct CudaBackend {
    device: CudaDevice,
    nvrtc: Nvrtc,
    context: Arc<CudaContext>,
    stream: Arc<CudaStream>,
    /// Loaded kernels by their text.
    kernels: Mutex<HashMap<String, CudaFunction>>,
}

impl fmt::Debug for CudaBackend {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "CudaBackend({})", self.device)
    }
}

impl CudaBackend {
    /// The device `ordinal`, with NVRTC from wherever [`Nvrtc::find`] finds it.
    ///
    /// # Errors
    /// [`CudaError::NoDevice`], [`CudaError::NoCompiler`] and [`CudaError::Driver`], as [`CudaDevice::list`] explains them.
    pub fn new(ordinal: usize) -> Result<Self, CudaError> {
        CudaBackend::with_nvrtc(ordinal, None)
    }

    /// The device `ordinal`, with NVRTC at a given path.
    ///
    /// # Errors
    /// As [`CudaBackend::new`].
    pub fn with_nvrtc(ordinal: usize, nvrtc: Option<PathBuf>) -> Result<Self, CudaError> {
        let driver = driver_version()?;
        let count = check("the number of devices", result::device::get_count())?;
        if ordinal >= usize::try_from(count).unwrap_or(0) {
            return Err(CudaError::NoDevice {
                reason: format!("there is no device {ordinal}: the driver sees {count}"),
            });
        }
        let device = describe(ordinal)?;
        let nvrtc = Nvrtc::find(nvrtc.as_deref(), Some(driver))?;
        usable(&device, &nvrtc, driver)?;
        let context = check("opening a context", CudaContext::new(ordinal))?;
        let stream = check("opening a stream", context.new_stream())?;
        Ok(CudaBackend {
            device,
            nvrtc,
            context,
            stream,
            kernels: Mutex::new(HashMap::new()),
        })
    }

    /// The device.
    pub fn device(&self) -> &CudaDevice {
        &self.device
    }

    /// The compiler.
    pub fn nvrtc(&self) -> &Nvrtc {
        &self.nvrtc
    }

    /// Memory that may be used: a part stays free for the driver, local memory of long fibers, and others.
    fn free_bytes(&self) -> Result<usize, CudaError> {
        let (free, _) = check("the free memory", self.context.mem_get_info())?;
        Ok(free / 10 * 8)
    }

    /// The kernel loaded on the device, compiled now if it was not before.
    fn function(&self, kernel: &KernelSource) -> Result<CudaFunction, CudaError> {
        let mut known = self.kernels.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(function) = known.get(&kernel.text) {
            return Ok(function.clone());
        }
        let compiled = self
            .nvrtc
            .compile_cached(kernel, self.device.architecture)?;
        let module = check(
            "loading a kernel",
            self.context.load_module(loadable(compiled)),
        )?;
        let function = check("finding a kernel", module.load_function(kernel.name))?;
        known.insert(kernel.text.clone(), function.clone());
        Ok(function)
    }
}

fn loadable(compiled: CompiledKernel) -> Ptx {
    if compiled.is_machine_code {
        Ptx::from_binary(compiled.image)
    } else {
        // PTX is text; NVRTC ends it with a zero, which the loader adds itself.
        let text = String::from_utf8_lossy(&compiled.image);
        Ptx::from_src(text.trim_end_matches('\0'))
    }
}

impl Executor for CudaBackend {
    type Memory<T: Word> = CudaSlice<T>;

    fn memory_bytes(&self) -> Result<usize, CudaError> {
        Ok(self.free_bytes()?.min(LARGEST_LAUNCH))
    }

    fn gradient_bytes(&self) -> Result<[usize; 2], CudaError> {
        let free = self.free_bytes()?;
        let tables = LARGEST_LAUNCH.min(free / 2);
        Ok([tables, free - tables])
    }

    fn upload<T: Word>(&self, values: &[T]) -> Result<CudaSlice<T>, CudaError> {
        check("copying to the device", self.stream.clone_htod(values))
    }

    fn reserve<T: Word>(&self, count: usize) -> Result<CudaSlice<T>, CudaError> {
        let zeros = self.stream.alloc_zeros::<T>(count);
        check("reserving memory on the device", zeros)
    }

    fn overwrite<T: Word>(&self, memory: &mut CudaSlice<T>, values: &[T]) -> Result<(), CudaError> {
        let copied = self.stream.memcpy_htod(values, memory);
        check("copying to the device", copied)
    }

    fn download<T: Word>(&self, memory: &CudaSlice<T>, to: &mut [T]) -> Result<(), CudaError> {
        let what = "running a kernel and copying from the device";
        check(what, self.stream.memcpy_dtoh(memory, to))?;
        check(what, self.stream.synchronize())
    }

    /// The one place where a kernel is launched.
    fn launch<R: Element>(
        &self,
        kernel: &KernelSource,
        blocks: usize,
        tables: &mut Tables<R, Self>,
    ) -> Result<(), CudaError> {
        tables.check(kernel)?;
        let function = self.function(kernel)?;
        let shape = LaunchConfig {
            grid_dim: (blocks as u32, 1, 1),
            block_dim: (kernel.threads() as u32, 1, 1),
            shared_mem_bytes: 0,
        };
        let mut builder = self.stream.launch_builder(&function);
        builder
            .arg(&tables.words)
            .arg(&tables.ints)
            .arg(&tables.reals)
            .arg(&tables.doubles)
            .arg(&mut tables.out_ints)
            .arg(&mut tables.out_reals);
        if let Some(more) = &mut tables.gradient {
            builder
                .arg(&mut more.kept)
                .arg(&mut more.back)
                .arg(&mut more.lane_sums)
                .arg(&mut more.sums)
                .arg(&mut more.trace);
        }
        // SAFETY: the kernel takes these six pointers in this order, for gradients the next five; `check` found
        // precision, layout and number of tables right. `Launch::check` has compared the lengths of the first six with
        // the offsets in the header, and `TableSizes` has made the others from the same header. The kernel writes to
        // nothing but the tables passed as mutable.
        let launched = unsafe { builder.launch(shape) };
        check("launching a kernel", launched).map(|_| ())
    }
}

/// Fibers that fill a device.
const FULL: usize = 1 << 14;

impl Backend for CudaBackend {
    fn name(&self) -> String {
        format!("cuda ({})", self.device.name)
    }

    fn width(&self, _precision: Precision) -> usize {
        FULL
    }

    fn run(&self, rollout: &Rollout) -> Result<Outcome, BackendError> {
        run(self, rollout)
    }

    fn differentiate(
        &self,
        rollout: &Rollout,
        objective: &dyn Objective,
        request: GradientRequest,
    ) -> Result<Vec<Differentiated>, BackendError> {
        differentiate(self, rollout, objective, request)
    }
}
