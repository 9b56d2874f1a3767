//! Initial populations.

use axonml_core::Random;
use serde::{Deserialize, Serialize};

use crate::bounds::Bounds;
use crate::error::{OptimizeError, check_length};

/// Latin hypercubes among which the best is chosen.
const MAXIMIN_DRAWS: usize = 10;

/// Distribution of members between the bounds.
///
/// # Source
/// M. D. McKay, R. J. Beckman and W. J. Conover, "A comparison of three methods for selecting values of input
/// variables in the analysis of output from a computer code", Technometrics 21, 239-245 (1979); M. E. Johnson, L. M.
/// Moore and D. Ylvisaker, "Minimax and maximin distance designs", J. Stat. Plan. Inference 26, 131-148 (1990).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum Spread {
    /// Uniformly at random.
    Random,
    /// Random Latin hypercube: each of as many equal strata as there are members holds one, at a random place, in each
    /// coordinate.
    #[default]
    Rlhs,
    /// Maximin Latin hypercube: of ten random ones that whose closest members are farthest apart.
    Mlhs,
}

/// The initial population.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Initial {
    /// Given members, the first of the population; they lie within the bounds.
    pub members: Vec<Vec<f64>>,
    /// Distribution of the others.
    pub spread: Spread,
}

impl Initial {
    /// The members of a population of `population`.
    pub(super) fn members(
        &self,
        population: usize,
        bounds: &Bounds,
        random: &mut Random,
    ) -> Result<Vec<Vec<f64>>, OptimizeError> {
        if self.members.len() > population {
            return Err(OptimizeError::setting(
                "given members",
                self.members.len(),
                format!("{population} at most, the population"),
            ));
        }
        for (point, member) in self.members.iter().enumerate() {
            check_length("given member", point, member.len(), bounds.len())?;
            if let Some(coordinate) = bounds.first_outside(member) {
                return Err(OptimizeError::Outside {
                    point,
                    coordinate,
                    found: member[coordinate],
                    lower: bounds.lower()[coordinate],
                    upper: bounds.upper()[coordinate],
                });
            }
        }
        let drawn = population - self.members.len();
        let shares = self.spread.shares(drawn, bounds.len(), random);
        let others = shares.into_iter().map(|member| {
            let genes = member.into_iter().enumerate();
            genes.map(|(k, share)| bounds.at(k, share)).collect()
        });
        Ok(self.members.iter().cloned().chain(others).collect())
    }
}

impl Spread {
    /// Members in the unit cube.
    fn shares(self, members: usize, coordinates: usize, random: &mut Random) -> Vec<Vec<f64>> {
        match self {
            Spread::Random => (0..members)
                .map(|_| (0..coordinates).map(|_| random.unit()).collect())
                .collect(),
            Spread::Rlhs => latin_hypercube(members, coordinates, random),
            Spread::Mlhs => {
                let mut best = latin_hypercube(members, coordinates, random);
                let mut farthest = least_distance(&best);
                for _ in 1..MAXIMIN_DRAWS {
                    let other = latin_hypercube(members, coordinates, random);
                    let distance = least_distance(&other);
                    if distance > farthest {
                        (best, farthest) = (other, distance);
                    }
                }
                best
            }
        }
    }
}

fn latin_hypercube(members: usize, coordinates: usize, random: &mut Random) -> Vec<Vec<f64>> {
    let mut cube = vec![Vec::with_capacity(coordinates); members];
    for _ in 0..coordinates {
        // Fisher and Yates.
        let mut strata: Vec<usize> = (0..members).collect();
        for last in (1..members).rev() {
            strata.swap(last, random.index(last + 1));
        }
        for (member, stratum) in cube.iter_mut().zip(strata) {
            member.push((stratum as f64 + random.unit()) / members as f64);
        }
    }
    cube
}

/// The least squared distance between two members.
fn least_distance(members: &[Vec<f64>]) -> f64 {
    let mut least = f64::INFINITY;
    for (index, one) in members.iter().enumerate() {
        for other in &members[..index] {
            let square: f64 = one.iter().zip(other).map(|(a, b)| (a - b).powi(2)).sum();
            least = least.min(square);
        }
    }
    least
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bounds() -> Bounds {
        Bounds::new(vec![-1.0, 0.0, 5.0], vec![1.0, 10.0, 5.5]).unwrap()
    }

    #[test]
    fn latin_hypercubes_fill_each_stratum_once() {
        for spread in [Spread::Rlhs, Spread::Mlhs] {
            let cube = spread.shares(17, 4, &mut Random::new(1, 0));
            for k in 0..4 {
                let mut strata: Vec<usize> = cube.iter().map(|m| (m[k] * 17.0) as usize).collect();
                strata.sort_unstable();
                assert_eq!(strata, (0..17).collect::<Vec<_>>(), "{spread:?}");
            }
        }
    }

    #[test]
    fn maximin_members_keep_apart() {
        let closest = |spread: Spread| -> f64 {
            let cubes = (0..20).map(|seed| spread.shares(20, 3, &mut Random::new(seed, 0)));
            cubes.map(|cube| least_distance(&cube)).sum()
        };
        let [random, rlhs, mlhs] = [Spread::Random, Spread::Rlhs, Spread::Mlhs].map(closest);
        assert!(
            mlhs > 1.5 * rlhs && mlhs > 1.5 * random,
            "{random} {rlhs} {mlhs}"
        );
        assert_eq!(
            least_distance(&[vec![0.0, 0.0], vec![3.0, 4.0], vec![0.0, 1.0]]),
            1.0
        );
    }

    #[test]
    fn given_members_come_first_and_others_fill_up() {
        let given = vec![vec![0.5, 1.0, 5.25], vec![-1.0, 10.0, 5.5]];
        let initial = Initial {
            members: given.clone(),
            spread: Spread::Random,
        };
        let found = initial
            .members(7, &bounds(), &mut Random::new(0, 0))
            .unwrap();
        assert_eq!((found.len(), &found[..2]), (7, &given[..]));
        assert!(found.iter().all(|member| bounds().contain(member)));
        let all = initial
            .members(2, &bounds(), &mut Random::new(0, 0))
            .unwrap();
        assert_eq!(all, given);
    }

    #[test]
    fn members_that_do_not_fit_are_refused() {
        let refused = |members: Vec<Vec<f64>>| {
            let initial = Initial {
                members,
                spread: Spread::Rlhs,
            };
            initial
                .members(5, &bounds(), &mut Random::new(0, 0))
                .unwrap_err()
        };
        let outside = refused(vec![vec![0.0, 1.0, 5.0], vec![0.0, 11.0, 5.0]]);
        assert!(matches!(
            outside,
            OptimizeError::Outside {
                point: 1,
                coordinate: 1,
                ..
            }
        ));
        let nan = refused(vec![vec![f64::NAN, 1.0, 5.0]]);
        assert!(matches!(
            nan,
            OptimizeError::Outside {
                point: 0,
                coordinate: 0,
                ..
            }
        ));
        let short = refused(vec![vec![0.0]]);
        assert!(matches!(short, OptimizeError::Length { point: 0, .. }));
        let many = refused(vec![vec![0.0, 1.0, 5.0]; 6]);
        assert!(matches!(many, OptimizeError::Setting { .. }));
    }
}
