//! Kernels on the processor: the same text that a device runs, compiled by the C++ compiler of the machine.
#![allow(
    unsafe_code,
    reason = "loading the compiled kernel and calling it through its C interface"
)]

use std::ffi::{CStr, c_char, c_void};
use std::fmt;
use std::path::{Path, PathBuf};
use std::process::Command;

use axonml_autodiff::adjoint::{Differentiated, GradientRequest, Objective};
use axonml_autodiff::engine::{Backend, BackendError, Outcome, Rollout};
use axonml_files::Staged;
use libloading::Library;
use rayon::prelude::*;

use crate::CudaError;
use crate::cache::{self, digest, read_code, seal_code, write_file};
use crate::execute::{Element, Executor, Tables, Word, run};
use crate::gradient::differentiate;
use crate::source::KernelSource;

const SHIM: &str = include_str!("host/shim.hpp");
const ENTRY: &str = include_str!("host/entry.hpp");

/// Memory that a launch on the host may take.
const HOST_BYTES: usize = 1 << 30;

/// In which order the threads of a block run between warp-level operations.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ThreadOrder {
    /// The first one first.
    #[default]
    Forward,
    /// The last one first.
    Reverse,
    /// Another order each time, from this seed.
    Random(u64),
}

/// A backend that runs the CUDA kernels on the processor: for checking them where there is no device.
///
/// Far slower than the CPU backend; not meant for simulations.
#[derive(Clone)]
pub struct HostKernels {
    compiler: PathBuf,
    flags: Vec<&'static str>,
    order: ThreadOrder,
    memory_bytes: usize,
    kept_bytes: usize,
    edit: Option<fn(&str) -> String>,
}

impl fmt::Debug for HostKernels {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HostKernels")
            .field("compiler", &self.compiler)
            .field("order", &self.order)
            .finish_non_exhaustive()
    }
}

type Entry = unsafe extern "C" fn(
    first_block: u32,
    end_block: u32,
    threads: u32,
    order: u32,
    seed: u64,
    tables: *const HostTables,
) -> *const c_char;

/// Arguments of a kernel, as `HostTables` in `entry.hpp`; null where a kernel takes no such table.
#[repr(C)]
struct HostTables {
    header: *const u64,
    ints: *const u32,
    reals: *const c_void,
    doubles: *const f64,
    out_ints: *mut u32,
    out_reals: *mut c_void,
    kept: *mut c_void,
    back: *mut c_void,
    lane_sums: *mut f64,
    sums: *mut f64,
    trace: *mut c_void,
}

// SAFETY: the tables outlive the calls that share them, and each call writes to places of its own.
unsafe impl Sync for HostTables {}

impl HostKernels {
    /// With the compiler in the environment variable `CXX`, or the first of `c++`, `g++` and `clang++` that runs.
    ///
    /// # Errors
    /// [`CudaError::NoHostCompiler`].
    pub fn new() -> Result<Self, CudaError> {
        let named = std::env::var_os("CXX").filter(|name| !name.is_empty());
        let candidates: Vec<PathBuf> = match named {
            Some(name) => vec![name.into()],
            None => ["c++", "g++", "clang++"].map(PathBuf::from).to_vec(),
        };
        HostKernels::with_compilers(&candidates)
    }

    /// With the first of `candidates` that runs.
    ///
    /// # Errors
    /// [`CudaError::NoHostCompiler`].
    pub fn with_compilers(candidates: &[PathBuf]) -> Result<Self, CudaError> {
        let mut tried = Vec::new();
        for compiler in candidates {
            match Command::new(compiler).arg("--version").output() {
                Ok(output) if output.status.success() => {
                    return Ok(HostKernels {
                        compiler: compiler.clone(),
                        flags: flags(),
                        order: ThreadOrder::Forward,
                        memory_bytes: HOST_BYTES,
                        kept_bytes: HOST_BYTES,
                        edit: None,
                    });
                }
                Ok(output) => tried.push(format!("{} ({})", compiler.display(), output.status)),
                Err(error) => tried.push(format!("{} ({error})", compiler.display())),
            }
        }
        Err(CudaError::NoHostCompiler {
            tried: tried.join(", "),
        })
    }

    /// The same with another order of threads. Results must not depend on it.
    #[must_use]
    pub fn order(mut self, order: ThreadOrder) -> Self {
        self.order = order;
        self
    }

    /// The same with launches of at most so many bytes. Results must not depend on it.
    #[must_use]
    pub fn memory_bytes(mut self, bytes: usize) -> Self {
        self.memory_bytes = bytes;
        self
    }

    /// The same with at most so many bytes for the stored states of gradients. Results must not depend on it.
    #[must_use]
    pub fn kept_bytes(mut self, bytes: usize) -> Self {
        self.kept_bytes = bytes;
        self
    }

    /// The same with kernels changed by `edit` before they are compiled: to see that a mistake is found.
    #[must_use]
    pub fn edited(mut self, edit: fn(&str) -> String) -> Self {
        self.edit = Some(edit);
        self
    }

    /// Path of the compiled kernel, from the cache if it was built before.
    fn build(&self, kernel: &KernelSource) -> Result<PathBuf, CudaError> {
        let text = self
            .edit
            .map_or_else(|| kernel.text.clone(), |edit| edit(&kernel.text));
        let source = format!("{SHIM}\n{text}\n{ENTRY}");
        let compiler = self.compiler.to_string_lossy();
        let hash = digest(&[&source, &compiler, &self.flags.join(" ")]);
        let folder = cache::folder("host-kernels")?;
        let library = folder.join(format!("{hash}.so"));
        if read_code(&library).is_some() {
            return Ok(library);
        }
        let source_path = folder.join(format!("{hash}.cpp"));
        write_file(&source_path, source.as_bytes())?;
        let wrong = |error: std::io::Error| CudaError::Cache {
            path: library.clone(),
            problem: error.to_string(),
        };
        let unfinished = Staged::create(&library).map_err(wrong)?;
        let output = Command::new(&self.compiler)
            .args(&self.flags)
            .arg("-o")
            .args([unfinished.path(), &source_path])
            .output()
            .map_err(|error| CudaError::NoHostCompiler {
                tried: format!("{compiler} ({error})"),
            })?;
        if !output.status.success() {
            return Err(CudaError::HostCompile {
                log: String::from_utf8_lossy(&output.stderr).into_owned(),
                source_path,
            });
        }
        seal_code(unfinished.path()).map_err(wrong)?;
        unfinished.commit().map_err(wrong)?;
        Ok(library)
    }
}

/// Compiler options: fused multiply-adds only where the kernel asks for them, in hardware where there are any.
fn flags() -> Vec<&'static str> {
    let mut flags = vec![
        "-x",
        "c++",
        "-std=c++17",
        "-O2",
        "-fPIC",
        "-shared",
        "-ffp-contract=off",
        "-Wno-unknown-pragmas",
    ];
    #[cfg(target_arch = "x86_64")]
    {
        // The hand-made switch of stacks does not maintain a shadow stack.
        flags.push("-fcf-protection=none");
        if std::arch::is_x86_feature_detected!("fma") {
            flags.push("-mfma");
        }
    }
    flags
}

impl Executor for HostKernels {
    type Memory<T: Word> = Vec<T>;

    fn memory_bytes(&self) -> Result<usize, CudaError> {
        Ok(self.memory_bytes)
    }

    fn gradient_bytes(&self) -> Result<[usize; 2], CudaError> {
        Ok([self.memory_bytes, self.kept_bytes])
    }

    fn upload<T: Word>(&self, values: &[T]) -> Result<Vec<T>, CudaError> {
        Ok(values.to_vec())
    }

    fn reserve<T: Word>(&self, count: usize) -> Result<Vec<T>, CudaError> {
        Ok(vec![T::default(); count])
    }

    fn overwrite<T: Word>(&self, memory: &mut Vec<T>, values: &[T]) -> Result<(), CudaError> {
        memory.copy_from_slice(values);
        Ok(())
    }

    fn download<T: Word>(&self, memory: &Vec<T>, to: &mut [T]) -> Result<(), CudaError> {
        to.copy_from_slice(memory);
        Ok(())
    }

    fn launch<R: Element>(
        &self,
        kernel: &KernelSource,
        blocks: usize,
        tables: &mut Tables<R, Self>,
    ) -> Result<(), CudaError> {
        tables.check(kernel)?;
        let path = self.build(kernel)?;
        let library = load(&path)?;
        // SAFETY: the library was made from our text, where the symbol has this signature.
        let entry = unsafe { library.get::<Entry>(b"axonml_host_run\0") }.map_err(|error| {
            CudaError::Fault(format!("{} has no entry point: {error}", path.display()))
        })?;
        let (order, seed) = match self.order {
            ThreadOrder::Forward => (0, 0),
            ThreadOrder::Reverse => (1, 0),
            ThreadOrder::Random(seed) => (2, seed),
        };
        let more = tables.gradient.as_mut();
        let [kept, back, lane_sums, sums, trace] = match more {
            Some(more) => [
                more.kept.as_mut_ptr().cast::<c_void>(),
                more.back.as_mut_ptr().cast(),
                more.lane_sums.as_mut_ptr().cast(),
                more.sums.as_mut_ptr().cast(),
                more.trace.as_mut_ptr().cast(),
            ],
            None => [std::ptr::null_mut(); 5],
        };
        let tables = HostTables {
            header: tables.words.as_ptr(),
            ints: tables.ints.as_ptr(),
            reals: tables.reals.as_ptr().cast(),
            doubles: tables.doubles.as_ptr(),
            out_ints: tables.out_ints.as_mut_ptr(),
            out_reals: tables.out_reals.as_mut_ptr().cast(),
            kept,
            back,
            lane_sums: lane_sums.cast(),
            sums: sums.cast(),
            trace,
        };
        let entry = *entry;
        let run_blocks = |first: usize, end: usize| {
            let tables: &HostTables = &tables;
            // SAFETY: `check` found precision, layout and number of tables right; `Launch::check` has compared the
            // lengths of the first six with the offsets in `header`, and `TableSizes` has made the others from it. The
            // kernel writes to nothing but the tables passed as mutable, where each block has places of its own, and
            // stores no pointer. A message is a string literal of the library, which stays loaded.
            unsafe {
                let problem = entry(
                    first as u32,
                    end as u32,
                    kernel.threads() as u32,
                    order,
                    seed,
                    tables,
                );
                (!problem.is_null()).then(|| CStr::from_ptr(problem).to_string_lossy().into_owned())
            }
        };
        let problem = (0..blocks)
            .into_par_iter()
            .find_map_any(|block| run_blocks(block, block + 1));
        problem.map_or(Ok(()), |message| Err(CudaError::Fault(message)))
    }
}

fn load(path: &Path) -> Result<Library, CudaError> {
    // SAFETY: the library was made from our text; it runs nothing when it is loaded.
    unsafe { Library::new(path) }.map_err(|error| CudaError::Cache {
        path: path.to_owned(),
        problem: error.to_string(),
    })
}

impl Backend for HostKernels {
    fn name(&self) -> String {
        format!("cuda kernels on the host ({})", self.compiler.display())
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
