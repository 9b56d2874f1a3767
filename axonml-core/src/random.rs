//! Random numbers of a case: reproducible on every machine, and independent of earlier draws.

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};

/// The random numbers of one case: the ChaCha8 stream of that number under the key of the seed.
///
/// # Example
/// ```
/// use axonml_core::Random;
/// // Case 7 draws the same numbers whether or not cases 0 to 6 were drawn.
/// let mut random = Random::new(0, 7);
/// let diameter_um = 5.7 + random.unit() * (14.0 - 5.7);
/// assert!((5.7..14.0).contains(&diameter_um));
/// assert_eq!(Random::new(0, 7).unit(), Random::new(0, 7).unit());
/// ```
#[derive(Clone, Debug)]
pub struct Random(ChaCha8Rng);

impl Random {
    /// The numbers of a case.
    pub fn new(seed: u64, case: usize) -> Self {
        Random::of(seed, 0, case)
    }

    /// Numbers for another purpose than cases: independent of theirs under the same seed.
    pub fn of(seed: u64, purpose: u64, case: usize) -> Self {
        let mut key = [0; 32];
        key[..8].copy_from_slice(&seed.to_le_bytes());
        key[8..16].copy_from_slice(&purpose.to_le_bytes());
        let mut generator = ChaCha8Rng::from_seed(key);
        generator.set_stream(case as u64);
        Random(generator)
    }

    /// Uniform in [0, 1): the upper 53 bits. Written out here, so that sets do not change with a library.
    pub fn unit(&mut self) -> f64 {
        (self.0.next_u64() >> 11) as f64 * (-53_f64).exp2()
    }

    /// Normally distributed with mean 0 and standard deviation 1, by the transformation of Box and Muller (1958); takes two
    /// uniform numbers.
    pub fn normal(&mut self) -> f64 {
        // In (0, 1], whose logarithm is finite.
        let radius = (-2.0 * (1.0 - self.unit()).ln()).sqrt();
        radius * (std::f64::consts::TAU * self.unit()).cos()
    }

    /// One of `count` alike.
    ///
    /// # Panics
    /// If `count` is 0.
    pub fn index(&mut self, count: usize) -> usize {
        ((self.unit() * count as f64) as usize).min(count - 1)
    }

    /// One of several by their weights, which are positive.
    ///
    /// # Panics
    /// If there are none.
    pub fn weighted(&mut self, weights: &[f64]) -> usize {
        let mut rest = self.unit() * weights.iter().sum::<f64>();
        for (index, weight) in weights.iter().enumerate() {
            rest -= weight;
            if rest < 0.0 {
                return index;
            }
        }
        weights.len() - 1
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn streams_are_those_of_chacha8() {
        // Keystream of ChaCha8 with the zero key and nonce (RFC 8439's block function with 8 rounds), first 16 bytes:
        // the test vector TC1 of draft-strombergson-chacha-test-vectors.
        let expected: [u8; 16] = [
            0x3e, 0x00, 0xef, 0x2f, 0x89, 0x5f, 0x40, 0xd6, 0x7f, 0x5b, 0xb8, 0xe8, 0x1f, 0x09,
            0xa5, 0xa1,
        ];
        let mut random = Random::new(0, 0);
        for bytes in expected.as_chunks::<8>().0 {
            let unit = (u64::from_le_bytes(*bytes) >> 11) as f64 / 9_007_199_254_740_992.0;
            assert_eq!(random.unit(), unit);
        }
        assert_ne!(Random::new(0, 1).unit(), Random::new(0, 2).unit());
        assert_ne!(Random::new(1, 1).unit(), Random::new(0, 1).unit());
    }

    /// Mean, variance and the share beyond one standard deviation, 31.73 %, within five standard errors.
    #[test]
    fn normal_numbers_are_normal() {
        const N: usize = 40_000;
        let mut random = Random::new(5, 0);
        let drawn: Vec<f64> = (0..N).map(|_| random.normal()).collect();
        let mean = drawn.iter().sum::<f64>() / N as f64;
        let variance = drawn.iter().map(|x| x * x).sum::<f64>() / N as f64;
        let beyond = drawn.iter().filter(|x| x.abs() > 1.0).count() as f64 / N as f64;
        assert!(mean.abs() < 0.025, "{mean}");
        assert!((variance - 1.0).abs() < 0.036, "{variance}");
        assert!((beyond - 0.317_310_5).abs() < 0.0117, "{beyond}");
    }

    #[test]
    fn choices_follow_their_weights() {
        let mut random = Random::new(3, 0);
        let mut seen = [0_u32; 3];
        for _ in 0..30_000 {
            seen[random.weighted(&[1.0, 3.0, 6.0])] += 1;
        }
        // Five standard deviations of a binomial count are at most 430.
        for (count, expected) in seen.into_iter().zip([3000.0, 9000.0, 18000.0]) {
            assert!((f64::from(count) - expected).abs() < 430.0, "{seen:?}");
        }
        assert_eq!(random.index(1), 0);
    }
}
