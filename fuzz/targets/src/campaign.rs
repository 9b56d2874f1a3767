//! A sequence of mutated inputs of one target.

use std::collections::HashSet;
use std::hash::{DefaultHasher, Hash, Hasher};

use crate::mutator::{LARGEST_INPUT, mutate};
use crate::random::Random;
use crate::{Outcome, Sample, Target, bundle};

/// Inputs that others are made of, at most.
const POOL: usize = 512;

/// Mutates kept inputs, and of its own those whose refusal reads differently from all before: the messages of a reader
/// tell how far into it an input got.
pub struct Campaign<'t> {
    target: &'t Target,
    random: Random,
    pool: Vec<Vec<u8>>,
    kept: usize,
    seen: HashSet<u64>,
    /// Inputs tried.
    pub executions: u64,
    /// Inputs that the reader accepted.
    pub accepted: u64,
}

/// An input on which a reader panics or breaks a property.
#[derive(Clone, Debug)]
pub struct Finding {
    /// The input.
    pub input: Vec<u8>,
    /// The panic's message.
    pub message: String,
}

impl Finding {
    /// Key that findings of the same fault share.
    pub fn kind(&self) -> String {
        match self.message.rsplit_once(" (") {
            Some((_, place)) => place.to_owned(),
            None => pattern(&self.message),
        }
    }
}

impl<'t> Campaign<'t> {
    /// Begins with the kept inputs; equal seeds make equal campaigns.
    pub fn new(target: &'t Target, samples: &[Sample], seed: u64) -> Self {
        let mut pool: Vec<Vec<u8>> = samples.iter().map(|sample| sample.bytes.clone()).collect();
        pool.retain(|input| input.len() <= LARGEST_INPUT);
        if pool.is_empty() {
            pool.push(Vec::new());
        }
        Campaign {
            target,
            random: Random::new(seed),
            kept: pool.len(),
            pool,
            seen: HashSet::new(),
            executions: 0,
            accepted: 0,
        }
    }

    /// The next input.
    pub fn next_input(&mut self) -> Vec<u8> {
        let random = &mut self.random;
        let one = &self.pool[random.below(self.pool.len())];
        let other = &self.pool[random.below(self.pool.len())];
        let dictionary = self.target.dictionary;
        let mut input = match self.target.bundled && random.below(4) != 0 {
            true => mutate_member(random, one, other, dictionary),
            false => mutate(random, one, other, dictionary),
        };
        if let Some(repair) = self.target.repair
            && random.below(8) != 0
        {
            repair(&mut input);
        }
        input
    }

    /// Takes note of what became of an input.
    ///
    /// # Errors
    /// A [`Finding`] if the reader panicked.
    pub fn learn(
        &mut self,
        input: Vec<u8>,
        result: Result<Outcome, String>,
    ) -> Result<(), Finding> {
        self.executions += 1;
        let told = match result {
            Ok(Outcome::Accepted) => {
                self.accepted += 1;
                // Sizes stand in for what was accepted.
                format!("accepted {}", input.len().next_power_of_two())
            }
            Ok(Outcome::Refused(message)) => pattern(&message),
            Err(message) => return Err(Finding { input, message }),
        };
        let mut hasher = DefaultHasher::new();
        told.hash(&mut hasher);
        if self.seen.insert(hasher.finish()) {
            if self.pool.len() < POOL {
                self.pool.push(input);
            } else {
                let own = self.kept + self.random.below(self.pool.len() - self.kept);
                if let Some(place) = self.pool.get_mut(own) {
                    *place = input;
                }
            }
        }
        Ok(())
    }
}

/// A bundle one of whose files is mutated, with parts of the file of the same name or of any file of `other`.
fn mutate_member(random: &mut Random, one: &[u8], other: &[u8], dictionary: &[&str]) -> Vec<u8> {
    let mut files: Vec<(String, Vec<u8>)> = bundle::unpack(one)
        .into_iter()
        .map(|(name, content)| (name, content.to_vec()))
        .collect();
    let others = bundle::unpack(other);
    let chosen = random.below(files.len());
    if let Some((name, content)) = files.get_mut(chosen) {
        let same = others.iter().find(|(other, _)| other == name);
        let donor = match random.below(2) {
            0 => same.or(others.first()),
            _ => random.choose(&others),
        };
        let donor = donor.map_or(&b""[..], |(_, content)| content);
        *content = mutate(random, content, donor, dictionary);
    }
    let mut bytes = bundle::pack(files.iter().map(|(n, c)| (n.as_str(), c.as_slice())));
    bytes.truncate(LARGEST_INPUT);
    bytes
}

/// A message without its numbers and quoted words.
fn pattern(message: &str) -> String {
    let outside = message.split(['`', '"', '\'']).step_by(2);
    let words: Vec<&str> = outside
        .flat_map(|part| part.split(|c: char| !c.is_alphabetic()))
        .filter(|word| !word.is_empty())
        .take(24)
        .collect();
    words.join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_that_differ_in_numbers_and_quotes_are_one_pattern() {
        assert_eq!(
            pattern("line 3: found `a+b`, expected 2"),
            pattern("line 14: found `x`, expected 9")
        );
        assert_ne!(pattern("line 3: found `a`"), pattern("row 3: found `a`"));
    }

    #[test]
    fn refusals_that_read_differently_are_kept_and_panics_are_findings() {
        let target = Target {
            name: "test",
            read: |_| Outcome::Accepted,
            dictionary: &[],
            repair: None,
            bundled: false,
        };
        let mut campaign = Campaign::new(&target, &[], 1);
        let refused = |message: &str| Ok(Outcome::Refused(message.to_owned()));
        for message in ["found 1", "found 2", "expected 1"] {
            campaign.learn(message.into(), refused(message)).unwrap();
        }
        assert_eq!(campaign.pool, [&b""[..], b"found 1", b"expected 1"]);
        let finding = campaign
            .learn(b"x".to_vec(), Err("no".to_owned()))
            .unwrap_err();
        assert_eq!(
            (finding.input, finding.message),
            (b"x".to_vec(), "no".to_owned())
        );
        assert_eq!((campaign.executions, campaign.accepted), (4, 0));
    }
}
