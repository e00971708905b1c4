//! What no figure can be made of: each is refused with what is wrong, and none gives a number that isn't one.

use super::frechet::Gaussian;
use super::kid::kid;
use super::manifold::manifold;
use super::report::{Confusion, Histogram};
use super::{Features, Neighbours};
use crate::error::Result;

fn said<T>(result: Result<T>) -> String {
    result.err().unwrap().to_string()
}

#[test]
fn features_are_whole_rows_of_finite_numbers() {
    let of = |values: &[f32], width| said(Features::new("fake features", values, width));
    assert_eq!(of(&[1.0; 7], 3), "fake features: 7 values are no whole rows of 3");
    assert_eq!(of(&[1.0; 7], 0), "fake features: 7 values are no whole rows of 0");
    assert_eq!(of(&[], 3), "fake features: there are none");
    for bad in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
        let values = [0.0, 1.0, 2.0, 3.0, bad, 5.0];
        assert_eq!(of(&values, 3), "fake features: value 1 of row 1 is no finite number");
    }
}

#[test]
fn too_few_images_are_refused_by_each_metric_by_name() {
    let values: Vec<f32> = (0..60).map(|i| (i * i % 17) as f32).collect();
    let of = |rows: usize| Features::new("fake features", &values[..rows * 4], 4).unwrap();
    assert_eq!(said(Gaussian::of(of(4))), "fake features: 4 rows, and a covariance needs at least 5");
    assert!(Gaussian::of(of(5)).is_ok());
    assert_eq!(said(kid(of(9), of(1))), "fake features: 1 rows, and KID needs at least 2");
    assert!(kid(of(9), of(2)).unwrap().mean.is_finite());
    assert_eq!(said(manifold(of(9), of(5), 5)), "fake features: 5 rows, and a ball around each needs at least 6");
    assert!(manifold(of(9), of(6), 5).is_ok());
    assert_eq!(said(manifold(of(9), of(9), 0)), "neighbours: 0, and a ball reaches to one at least");
}

#[test]
fn features_of_different_widths_are_refused() {
    let values: Vec<f32> = (0..60).map(|i| (i * i % 17) as f32).collect();
    let (real, fake) =
        (Features::new("real features", &values, 4).unwrap(), Features::new("fake features", &values, 3).unwrap());
    let differ = "fake features: rows of 3 values, but real features has rows of 4";
    let [a, b] = [real, fake].map(|features| Gaussian::of(features).unwrap());
    assert_eq!(said(b.distance(&a)), differ);
    assert_eq!(said(kid(real, fake)), differ);
    assert_eq!(said(manifold(real, fake, 5)), differ);
    assert_eq!(said(Neighbours::new(real).distances(fake, &mut |_, _| ())), differ);
}

#[test]
fn values_whose_squares_no_number_holds_are_refused_or_counted() {
    let values: Vec<f32> = (0..40).map(|i| if i % 2 == 0 { f32::MAX } else { -1.0 }).collect();
    let features = Features::new("fake features", &values, 1).unwrap();
    // In f64 f32's largest square is a number like any other.
    assert!(Gaussian::of(features).unwrap().variance().is_finite());
}

#[test]
fn digits_that_do_not_fit_are_refused() {
    let of = |wanted: &[u8], read: &[u8]| said(Confusion::of(wanted, read));
    assert_eq!(of(&[1, 2], &[1]), "digits read: 1, but 2 were asked for");
    assert_eq!(of(&[], &[]), "digits asked for: there are none");
    assert_eq!(of(&[1, 10], &[1, 2]), "digits asked for: number 1 is 10, and digits end at 9");
    assert_eq!(of(&[1, 2], &[255, 2]), "digits read: number 0 is 255, and digits end at 9");
    assert_eq!(said(Histogram::of(&[])), "digits read: there are none");
    assert_eq!(said(Histogram::of(&[3, 12])), "digits read: number 1 is 12, and digits end at 9");
}
