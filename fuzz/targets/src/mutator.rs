//! Changes to an input: of bits, lengths, numbers and words.

use crate::random::Random;

/// Inputs do not grow beyond this.
pub(crate) const LARGEST_INPUT: usize = 1 << 16;

/// Numbers as text that readers do not expect.
const NUMBERS: &[&str] = &[
    "0",
    "-0",
    "-1",
    "1e-320",
    "1e-9",
    "0.5",
    "1e9",
    "1e18",
    "1e300",
    "1e309",
    "-1e308",
    "nan",
    "inf",
    "-inf",
    "4294967295",
    "4294967296",
    "9223372036854775807",
    "18446744073709551615",
    "18446744073709551616",
    "0.1000000000000000055511151231257827021181583404541015625",
    "1_000",
    "0x10",
    "1,5",
    "",
];

/// Numbers in binary that readers do not expect.
const WORDS: &[u64] = &[
    0,
    1,
    0x7f,
    0xff,
    0x7fff,
    0xffff,
    0x7fff_ffff,
    0xffff_ffff,
    1 << 40,
    i64::MAX as u64,
    1 << 63,
    u64::MAX,
    // 1.0, infinity, NaN, and the least number above 0 in double precision.
    0x3ff0_0000_0000_0000,
    0x7ff0_0000_0000_0000,
    0x7ff8_0000_0000_0000,
    1_u64,
];

/// A changed copy of `input`; parts of `other` may come in.
pub(crate) fn mutate(
    random: &mut Random,
    input: &[u8],
    other: &[u8],
    dictionary: &[&str],
) -> Vec<u8> {
    let mut bytes = input.to_vec();
    loop {
        change(random, &mut bytes, other, dictionary);
        if random.below(2) == 0 {
            break;
        }
    }
    bytes.truncate(LARGEST_INPUT);
    bytes
}

fn change(random: &mut Random, bytes: &mut Vec<u8>, other: &[u8], dictionary: &[&str]) {
    let at = random.below(bytes.len() + 1);
    let most = 1 << random.below(7);
    let length = 1 + random.below(most);
    let end = (at + length).min(bytes.len());
    match random.below(14) {
        0 => {
            if let Some(byte) = bytes.get_mut(at) {
                *byte ^= 1 << random.below(8);
            }
        }
        1 => {
            if let Some(byte) = bytes.get_mut(at) {
                *byte = random.word() as u8;
            }
        }
        2 | 3 => {
            let width = 1 << random.below(4);
            let word = random.choose(WORDS).copied().unwrap_or_default();
            // Near a limit as often as at it.
            let word = word.wrapping_add(random.below(5) as u64).wrapping_sub(2);
            let raw = word.to_le_bytes();
            overwrite(bytes, at, &raw[..width]);
        }
        4 => _ = bytes.drain(at..end),
        5 => {
            let piece = bytes[at..end].to_vec();
            insert(bytes, at, &piece);
        }
        6 => bytes.truncate(at),
        7 => {
            // The beginning of one, the end of another.
            let from = random.below(other.len() + 1);
            bytes.truncate(at);
            bytes.extend(&other[from..]);
        }
        8 => {
            let from = random.below(other.len() + 1);
            let to = (from + length).min(other.len());
            insert(bytes, at, &other[from..to]);
        }
        9 => {
            if let Some(word) = random.choose(dictionary) {
                insert(bytes, at, word.as_bytes());
            }
        }
        10 => {
            if let Some(word) = random.choose(dictionary) {
                overwrite(bytes, at, word.as_bytes());
            }
        }
        11 | 12 => replace_number(random, bytes),
        _ => {
            // As deep as nesting or as long as a line may get.
            let piece = match random.choose(dictionary) {
                Some(word) if random.below(2) == 0 => word.as_bytes().to_vec(),
                _ => bytes[at..end].to_vec(),
            };
            let room = LARGEST_INPUT / piece.len().max(1);
            let most = room.min(1 << random.below(13));
            let times = 1 + random.below(most);
            insert(bytes, at, &piece.repeat(times));
        }
    }
}

fn overwrite(bytes: &mut [u8], at: usize, with: &[u8]) {
    for (byte, new) in bytes.iter_mut().skip(at).zip(with) {
        *byte = *new;
    }
}

fn insert(bytes: &mut Vec<u8>, at: usize, piece: &[u8]) {
    bytes.splice(at..at, piece.iter().copied());
}

/// Replaces one of the numbers that the input holds as text.
fn replace_number(random: &mut Random, bytes: &mut Vec<u8>) {
    let part = |byte: &u8| byte.is_ascii_digit() || matches!(byte, b'.' | b'e');
    let starts: Vec<usize> = (0..bytes.len())
        .filter(|&at| bytes[at].is_ascii_digit() && (at == 0 || !part(&bytes[at - 1])))
        .collect();
    let (Some(&start), Some(number)) = (random.choose(&starts), random.choose(NUMBERS)) else {
        return;
    };
    let length = bytes[start..].iter().take_while(|byte| part(byte)).count();
    bytes.splice(start..start + length, number.bytes());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_seeds_make_equal_inputs_and_inputs_stay_small() {
        let make = |seed: u64| {
            let mut random = Random::new(seed);
            let mut bytes = b"pw=0.1,gap=12".to_vec();
            for _ in 0..2000 {
                bytes = mutate(&mut random, &bytes, b"other", &["train:"]);
                assert!(bytes.len() <= LARGEST_INPUT);
            }
            bytes
        };
        assert_eq!(make(1), make(1));
        assert_ne!(make(1), make(2));
    }

    #[test]
    fn numbers_in_text_are_replaced_as_a_whole() {
        for seed in 0..50 {
            let mut bytes = b"a=0.125e3,b".to_vec();
            replace_number(&mut Random::new(seed), &mut bytes);
            let text = String::from_utf8(bytes).unwrap();
            let number = text
                .strip_prefix("a=")
                .and_then(|rest| rest.strip_suffix(",b"))
                .unwrap();
            assert!(NUMBERS.contains(&number), "{text}");
        }
    }
}
