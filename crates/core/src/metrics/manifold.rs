//! How far fakes lie where real images do, and whether they lie everywhere that these do, by balls around each image that
//! reach to its k-th neighbour of its own kind: precision and recall (Kynkäänniemi et al., "Improved precision and recall
//! metric for assessing generative models", 2019), density and coverage (Naeem et al., "Reliable fidelity and diversity
//! metrics for generative models", 2020).
//!
//! - *precision*: the share of fakes inside a real image's ball; *recall*: of real images inside a fake's.
//! - *density*: how many real balls a fake is in, over k; more than 1 where fakes crowd.
//! - *coverage*: the share of real images whose ball has a fake inside.
//!
//! As the package `prdc` has them: the radius is the distance to the (k+1)-th nearest where the image itself is the first,
//! and inside means strictly. So copies of one image, whose balls have no extent, hold nothing, not even one another. Of
//! two samples of one Gaussian, 10,000 each, they are about .477, .471, 1.056 and .974: density and coverage say more.

use super::cloud::{Features, refuse};
use super::neighbours::Neighbours;
use crate::error::Result;

/// The k that figures are compared with.
pub const NEAREST: usize = 5;

/// See the module's head.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Manifold {
    /// Of fakes, from 0 to 1.
    pub precision: f64,
    /// Of real images, from 0 to 1.
    pub recall: f64,
    /// Of fakes, from 0 up.
    pub density: f64,
    /// Of real images, from 0 to 1.
    pub coverage: f64,
}

/// Of features `[N, width]` of real images and `[M, width]` of fakes, with balls to the `nearest`-th neighbour. Takes
/// `(N + M)² · width` multiplications.
///
/// # Errors
/// [`Error::Data`](crate::Error::Data) where `nearest` is 0, a set has no more images than that, or their widths differ.
pub fn manifold(real: Features, fake: Features, nearest: usize) -> Result<Manifold> {
    if nearest == 0 {
        return Err(refuse("neighbours", "0, and a ball reaches to one at least".into()));
    }
    fake.beside(&real)?;
    for set in [real, fake] {
        set.at_least(nearest + 1, "a ball around each")?;
    }
    let mut around_real = Neighbours::new(real);
    let real_radii = radii(&mut around_real, real, nearest)?;
    let fake_radii = radii(&mut Neighbours::new(fake), fake, nearest)?;
    let (mut inside, mut balls) = (0usize, 0usize);
    let (mut recalled, mut covered) = (vec![false; real.count()], vec![false; real.count()]);
    around_real.distances(fake, &mut |i, distances| {
        let mut count = 0;
        for (j, (&distance, &radius)) in distances.iter().zip(&real_radii).enumerate() {
            let within = distance < radius;
            count += usize::from(within);
            // The nearest fake is inside where any is.
            covered[j] |= within;
            recalled[j] |= distance < fake_radii[i];
        }
        balls += count;
        inside += usize::from(count > 0);
    })?;
    let share = |which: &[bool]| which.iter().filter(|&&is| is).count() as f64 / which.len() as f64;
    Ok(Manifold {
        precision: inside as f64 / fake.count() as f64,
        recall: share(&recalled),
        density: balls as f64 / (nearest * fake.count()) as f64,
        coverage: share(&covered),
    })
}

/// Each one's squared distance to its k-th neighbour.
fn radii(among: &mut Neighbours, rows: Features, nearest: usize) -> Result<Vec<f32>> {
    let mut radii = Vec::with_capacity(rows.count());
    // Itself is the first.
    let mut least = vec![0.0; nearest + 1];
    among.distances(rows, &mut |_, distances| {
        least.fill(f32::INFINITY);
        for &distance in distances {
            if distance < least[nearest] {
                let at = least.partition_point(|&other| other <= distance);
                least.copy_within(at..nearest, at + 1);
                least[at] = distance;
            }
        }
        radii.push(least[nearest]);
    })?;
    Ok(radii)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(real: &[f32], fake: &[f32], nearest: usize) -> Manifold {
        let [real, fake] = [real, fake].map(|v| Features::new("rows", v, 1).unwrap());
        manifold(real, fake, nearest).unwrap()
    }

    #[test]
    fn balls_on_a_line_are_counted_by_hand() {
        // Radii 1, 1, 2, 4 around 0, 1, 3, 7; 1, 1, 9 around 0.5, 1.5, 10.5.
        let manifold = of(&[0.0, 1.0, 3.0, 7.0], &[0.5, 1.5, 10.5], 1);
        // 0.5 is in the balls of 0 and 1; 1.5 of 1 and 3; 10.5 of 7.
        assert_eq!(manifold.precision, 1.0);
        assert_eq!(manifold.density, 5.0 / 3.0);
        assert_eq!(manifold.coverage, 1.0);
        // 0 and 1 are in a ball of a fake's, 3 and 7 in that of 10.5.
        assert_eq!(manifold.recall, 1.0);
    }

    #[test]
    fn the_edge_of_a_ball_is_outside_and_copies_have_none() {
        let none = Manifold { precision: 0.0, recall: 0.0, density: 0.0, coverage: 0.0 };
        assert_eq!(of(&[0.0, 1.0, 3.0], &[-1.0, -1.0], 1), none);
        let same = of(&[2.0; 8], &[2.0; 8], 5);
        assert_eq!(same, none);
    }
}
