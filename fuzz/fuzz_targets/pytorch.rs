#![no_main]

use libfuzzer_sys::{fuzz_mutator, fuzz_target, fuzzer_mutate};

fuzz_target!(|data: &[u8]| fuzz_targets::fuzz("pytorch", data));

// Mutations get behind checksums and lengths.
fuzz_mutator!(|data: &mut [u8], size: usize, max_size: usize, _seed: u32| {
    let size = fuzzer_mutate(data, size, max_size);
    fuzz_targets::repair::zip(&mut data[..size]);
    size
});
