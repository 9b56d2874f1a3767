//! NVIDIA's run-time compiler, loaded when it is needed: from a path, the system or a Python wheel.
#![allow(
    unsafe_code,
    reason = "NVRTC is a C library that is loaded at run time"
)]

mod search;

use std::ffi::{CString, c_char, c_int, c_void};
use std::fmt;
use std::path::{Path, PathBuf};
use std::ptr;

use axonml_autodiff::ir::Precision;
use libloading::Library;

use crate::CudaError;
use crate::cache::{digest, folder, read_code, write_code, write_file};
use crate::source::KernelSource;

/// The environment variable that names the library.
pub const NVRTC_VARIABLE: &str = "AXONML_NVRTC";

type Program = *mut c_void;
type Status = c_int;

/// The functions used, by their C names.
struct Functions {
    create: unsafe extern "C" fn(
        *mut Program,
        *const c_char,
        *const c_char,
        c_int,
        *const *const c_char,
        *const *const c_char,
    ) -> Status,
    destroy: unsafe extern "C" fn(*mut Program) -> Status,
    compile: unsafe extern "C" fn(Program, c_int, *const *const c_char) -> Status,
    log: Output,
    cubin: Output,
    ptx: Output,
}

/// A pair of functions that return a size and fill a buffer.
struct Output {
    size: unsafe extern "C" fn(Program, *mut usize) -> Status,
    bytes: unsafe extern "C" fn(Program, *mut c_char) -> Status,
}

/// The loaded compiler.
pub struct Nvrtc {
    functions: Functions,
    path: PathBuf,
    version: (i32, i32),
    architectures: Vec<u32>,
    /// Kept loaded as long as `functions` are used.
    _libraries: Vec<Library>,
}

impl fmt::Debug for Nvrtc {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Nvrtc")
            .field("path", &self.path)
            .field("version", &self.version)
            .finish_non_exhaustive()
    }
}

/// A compiled kernel.
#[derive(Clone, Debug, PartialEq)]
pub struct CompiledKernel {
    /// Machine code, or PTX where the compiler does not know the device.
    pub image: Vec<u8>,
    /// Whether `image` is machine code.
    pub is_machine_code: bool,
    /// The compiler's remarks; empty for kernels from the cache.
    pub log: String,
}

impl Nvrtc {
    /// The first that loads of: `explicit`, the path in `AXONML_NVRTC`, the system's library, the toolkit's usual
    /// folder, Python wheels. With `driver` (12040 for CUDA 12.4), those of a later major version are passed over: the
    /// driver would not load their code.
    ///
    /// # Errors
    /// [`CudaError::NoCompiler`], listing the tried paths. No other path is tried where one was given.
    pub fn find(explicit: Option<&Path>, driver: Option<i32>) -> Result<Self, CudaError> {
        let named = explicit
            .map(Path::to_owned)
            .or_else(|| std::env::var_os(NVRTC_VARIABLE).map(PathBuf::from))
            .filter(|path| !path.as_os_str().is_empty());
        let candidates = match named {
            Some(path) => vec![path],
            None => search::candidates(),
        };
        let mut tried = Vec::new();
        for path in &candidates {
            match Nvrtc::load(path) {
                Ok(nvrtc) => match driver {
                    Some(driver) if nvrtc.version.0 > driver / 1000 => {
                        tried.push(format!(
                            "{} (CUDA {}, newer than the driver's {})",
                            path.display(),
                            nvrtc.version.0,
                            driver / 1000
                        ));
                    }
                    _ => return Ok(nvrtc),
                },
                Err(problem) => tried.push(format!("{} ({problem})", path.display())),
            }
        }
        Err(CudaError::NoCompiler {
            tried: tried.join("; "),
        })
    }

    fn load(path: &Path) -> Result<Self, String> {
        let mut libraries = Vec::new();
        // NVRTC opens its builtins by name; from a wheel they are only found if they are open already.
        for builtins in search::builtins_beside(path) {
            // SAFETY: NVIDIA's library of built-in headers; loading it runs nothing of consequence.
            libraries.extend(unsafe { Library::new(&builtins) });
        }
        // SAFETY: the library that the user or the system calls NVRTC.
        let library = unsafe { Library::new(path) }.map_err(|error| error.to_string())?;
        macro_rules! function {
            ($name:literal) => {
                // SAFETY: the symbol has this signature in every version of NVRTC from 11.2 on.
                *unsafe { library.get(concat!($name, "\0").as_bytes()) }
                    .map_err(|error| error.to_string())?
            };
        }
        let version_of: unsafe extern "C" fn(*mut c_int, *mut c_int) -> Status =
            function!("nvrtcVersion");
        let count_of: unsafe extern "C" fn(*mut c_int) -> Status =
            function!("nvrtcGetNumSupportedArchs");
        let list: unsafe extern "C" fn(*mut c_int) -> Status = function!("nvrtcGetSupportedArchs");
        let (mut major, mut minor, mut count) = (0, 0, 0);
        // SAFETY: both take pointers to numbers that they set.
        let statuses = unsafe { [version_of(&mut major, &mut minor), count_of(&mut count)] };
        let count = usize::try_from(count).unwrap_or(0);
        if statuses != [0, 0] || count == 0 {
            return Err(format!(
                "its version and architectures could not be queried (status {}, {}; {count} architectures)",
                statuses[0], statuses[1]
            ));
        }
        let mut architectures = vec![0; count];
        // SAFETY: the buffer has the length that the library returned, in a call that succeeded.
        let status = unsafe { list(architectures.as_mut_ptr()) };
        if status != 0 {
            return Err(format!(
                "its architectures could not be listed (status {status})"
            ));
        }
        let functions = Functions {
            create: function!("nvrtcCreateProgram"),
            destroy: function!("nvrtcDestroyProgram"),
            compile: function!("nvrtcCompileProgram"),
            log: Output {
                size: function!("nvrtcGetProgramLogSize"),
                bytes: function!("nvrtcGetProgramLog"),
            },
            cubin: Output {
                size: function!("nvrtcGetCUBINSize"),
                bytes: function!("nvrtcGetCUBIN"),
            },
            ptx: Output {
                size: function!("nvrtcGetPTXSize"),
                bytes: function!("nvrtcGetPTX"),
            },
        };
        libraries.push(library);
        Ok(Nvrtc {
            functions,
            path: path.to_owned(),
            version: (major, minor),
            architectures: architectures
                .into_iter()
                .filter_map(|architecture| u32::try_from(architecture).ok())
                .collect(),
            _libraries: libraries,
        })
    }

    /// Where it was loaded from.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Major and minor version of CUDA.
    pub fn version(&self) -> (i32, i32) {
        self.version
    }

    /// Architectures it makes machine code for, as 90 for compute capability 9.0.
    pub fn architectures(&self) -> &[u32] {
        &self.architectures
    }

    /// Whether kernels for `architecture` become machine code, rather than PTX that the driver translates.
    ///
    /// # Errors
    /// [`CudaError::NoDevice`] for a device older than anything the compiler knows.
    pub fn makes_machine_code_for(&self, architecture: u32) -> Result<bool, CudaError> {
        Ok(self.target(architecture)?.1)
    }

    /// Compiles for compute capability `architecture` (90 for 9.0), or takes the result of an earlier time.
    ///
    /// # Errors
    /// As [`Nvrtc::compile`].
    pub fn compile_cached(
        &self,
        kernel: &KernelSource,
        architecture: u32,
    ) -> Result<CompiledKernel, CudaError> {
        let (target, is_machine_code) = self.target(architecture)?;
        let version = format!("{}.{}", self.version.0, self.version.1);
        let hash = digest(&[
            &kernel.text,
            &options(kernel.precision).join(" "),
            &target,
            &version,
        ]);
        let suffix = if is_machine_code { "cubin" } else { "ptx" };
        let folder = folder("kernels")?;
        let path = folder.join(format!("{hash}.{suffix}"));
        if let Some(image) = read_code(&path) {
            return Ok(CompiledKernel {
                image,
                is_machine_code,
                log: String::new(),
            });
        }
        let compiled = self.compile(kernel, architecture)?;
        // A cache that cannot be written costs time, nothing else.
        let _ = write_code(&path, &compiled.image);
        Ok(compiled)
    }

    /// Compiles for compute capability `architecture` (90 for 9.0): to machine code if the compiler can, else to PTX that
    /// the driver will translate.
    ///
    /// # Errors
    /// [`CudaError::Compile`] with the log and the path of the source; [`CudaError::NoDevice`] for a device older than
    /// anything the compiler knows.
    pub fn compile(
        &self,
        kernel: &KernelSource,
        architecture: u32,
    ) -> Result<CompiledKernel, CudaError> {
        let (target, is_machine_code) = self.target(architecture)?;
        let mut options: Vec<String> = options(kernel.precision)
            .iter()
            .map(|s| (*s).to_owned())
            .collect();
        options.push(target);
        match self.compile_text(&kernel.text, &options, is_machine_code) {
            Ok((image, log)) => Ok(CompiledKernel {
                image,
                is_machine_code,
                log,
            }),
            Err(log) => {
                let name = format!("{}.cu", digest(&[&kernel.text]));
                let source_path = folder("kernels")?.join(name);
                write_file(&source_path, kernel.text.as_bytes())?;
                Err(CudaError::Compile { log, source_path })
            }
        }
    }

    /// The compiler's option for an architecture, and whether it gives machine code.
    fn target(&self, architecture: u32) -> Result<(String, bool), CudaError> {
        if self.architectures.contains(&architecture) {
            return Ok((format!("--gpu-architecture=sm_{architecture}"), true));
        }
        let older = self.architectures.iter().filter(|&&a| a < architecture);
        let newest = older.max().ok_or_else(|| CudaError::NoDevice {
            reason: format!(
                "compute capability {}.{} is older than anything NVRTC {}.{} compiles for",
                architecture / 10,
                architecture % 10,
                self.version.0,
                self.version.1
            ),
        })?;
        Ok((format!("--gpu-architecture=compute_{newest}"), false))
    }

    /// Image and log, or the log of a failure.
    fn compile_text(
        &self,
        text: &str,
        options: &[String],
        machine_code: bool,
    ) -> Result<(Vec<u8>, String), String> {
        let internal = |what: &str| format!("{what} (NVRTC {})", self.path.display());
        let c_string = |text: &str| CString::new(text).map_err(|error| error.to_string());
        let (source, name) = (c_string(text)?, c_string("axonml.cu")?);
        let options: Vec<CString> = options
            .iter()
            .map(|o| c_string(o))
            .collect::<Result<_, _>>()?;
        let pointers: Vec<*const c_char> = options.iter().map(|option| option.as_ptr()).collect();
        let mut program: Program = ptr::null_mut();
        // SAFETY: strings end in 0 and outlive the call; there are no headers.
        let created = unsafe {
            (self.functions.create)(
                &mut program,
                source.as_ptr(),
                name.as_ptr(),
                0,
                ptr::null(),
                ptr::null(),
            )
        };
        if created != 0 {
            return Err(internal("the program could not be created"));
        }
        // SAFETY: `program` was created above; the options outlive the call.
        let status = unsafe {
            (self.functions.compile)(program, pointers.len() as c_int, pointers.as_ptr())
        };
        let log = read(program, &self.functions.log)
            .map(|log| {
                String::from_utf8_lossy(&log)
                    .trim_end_matches(['\0', '\n'])
                    .to_owned()
            })
            .unwrap_or_default();
        let output = if machine_code {
            &self.functions.cubin
        } else {
            &self.functions.ptx
        };
        let image = if status == 0 {
            read(program, output)
        } else {
            None
        };
        // SAFETY: `program` was created above and is not used again.
        unsafe { (self.functions.destroy)(&mut program) };
        match image {
            Some(image) if !image.is_empty() => Ok((image, log)),
            _ if log.is_empty() => Err(internal(&format!("error {status}"))),
            _ => Err(log),
        }
    }
}

fn read(program: Program, output: &Output) -> Option<Vec<u8>> {
    let mut size = 0;
    // SAFETY: `program` is alive; the size is set.
    if unsafe { (output.size)(program, &mut size) } != 0 {
        return None;
    }
    let mut bytes = vec![0_u8; size];
    // SAFETY: the buffer has the length that the library returned.
    let status = unsafe { (output.bytes)(program, bytes.as_mut_ptr().cast()) };
    (status == 0).then_some(bytes)
}

/// Options for a precision. In single precision divisions err by up to 2 ulp and subnormal numbers are 0, which is
/// twice as fast and far below other rounding errors of single precision.
fn options(precision: Precision) -> &'static [&'static str] {
    match precision {
        Precision::F32 => &[
            "--std=c++17",
            "--ptxas-options=-v",
            "--ftz=true",
            "--prec-div=false",
            "--prec-sqrt=false",
        ],
        Precision::F64 => &["--std=c++17", "--ptxas-options=-v"],
    }
}
