//! The metrics against the numbers of implementations that aren't ours: `numbers.json`, which scripts/metrics-numbers.py
//! has scikit-learn, scipy and prdc compute of the same digits and features.

use super::frechet::Gaussian;
use super::kid::{self, mixed};
use super::manifold::manifold;
use super::report::{Confusion, Scores};
use super::{Features, kid::Kid};
use serde_json::Value;

fn cases(metric: &str) -> Vec<Value> {
    let numbers: Value = serde_json::from_str(include_str!("numbers.json")).unwrap();
    numbers[metric].as_array().unwrap().clone()
}

fn number(value: &Value) -> f64 {
    value.as_f64().unwrap()
}

fn whole<const N: usize>(values: &Value) -> [u64; N] {
    let values: Vec<u64> = values.as_array().unwrap().iter().map(|v| v.as_u64().unwrap()).collect();
    values.try_into().unwrap()
}

/// Relative to the larger one, or to `unit` where both are smaller.
fn close(got: f64, expected: &Value, unit: f64, tolerance: f64, what: &str) {
    let expected = number(expected);
    let size = got.abs().max(expected.abs()).max(unit);
    assert!((got - expected).abs() <= tolerance * size, "{what}: {got}, expected {expected}");
}

/// From −63 to 63, those around 0 most often.
fn small(number: u64) -> i64 {
    let m = mixed(number);
    (m & 63) as i64 + (m >> 6 & 63) as i64 - 63
}

/// Rows and their width, as the script's `cloud`.
fn cloud(of: &Value) -> (Vec<f32>, usize) {
    let [stream, rows, width, shift, spread, independent, distinct] = whole(of);
    let row = |i: u64| {
        let at = (stream << 40) + i % distinct * 4096;
        let common = small(at + 4095);
        (0..width).map(move |j| {
            let j = j % independent;
            (spread as i64 * small(at + j) + common * (j % 3) as i64 + (shift * (j % 5)) as i64) as f32 / 16.0
        })
    };
    ((0..rows).flat_map(row).collect(), width as usize)
}

/// Calls `check` with both clouds of a case.
fn with_clouds(case: &Value, check: impl FnOnce(Features, Features)) {
    let [(x, width), (y, _)] = [0, 1].map(|i| cloud(&case["of"][i]));
    let [x, y] = [(&x, "real"), (&y, "fake")].map(|(v, what)| Features::new(what, v, width).unwrap());
    check(x, y);
}

#[test]
fn the_report_and_its_text_are_those_of_scikit_learn() {
    let cases = cases("report");
    assert_eq!(cases.len(), 4);
    let (mut unread, mut unasked) = (0, 0);
    for case in cases {
        let [count, wrong, never_read, never_asked] = whole(&case["of"]);
        let wanted = |i: u64| if i % 10 == never_asked { 1 } else { i % 10 };
        let read = |i: u64| {
            let m = mixed(i);
            let read = if m.is_multiple_of(wrong) { (m >> 8) % 10 } else { wanted(i) };
            if read == never_read { 8 } else { read }
        };
        let [asked, read] =
            [&wanted as &dyn Fn(u64) -> u64, &read].map(|digit| (0..count).map(|i| digit(i) as u8).collect::<Vec<_>>());
        let confusion = Confusion::of(&asked, &read).unwrap();
        for (got, expected) in confusion.counts.iter().zip(case["confusion"].as_array().unwrap()) {
            assert_eq!(got.map(u64::from), whole(expected));
        }
        let report = confusion.report();
        let same = |got: &Scores, expected: &Value, what: &str| {
            for (i, got) in [got.precision, got.recall, got.f1, got.support.into()].into_iter().enumerate() {
                close(got, &expected[i], 1.0, 1e-14, what);
            }
        };
        for (digit, scores) in report.digits.iter().enumerate() {
            same(scores, &case["digits"][digit], &digit.to_string());
            unread += usize::from(scores.precision == 0.0 && scores.support > 0);
            unasked += usize::from(scores.support == 0);
        }
        close(report.accuracy, &case["accuracy"], 1.0, 1e-14, "accuracy");
        same(&report.macro_average, &case["macro"], "macro");
        same(&report.weighted_average, &case["weighted"], "weighted");
        for decimals in [2, 4] {
            assert_eq!(report.text(decimals), case["text"][decimals.to_string()].as_str().unwrap());
        }
    }
    assert!(unread >= 3 && unasked == 2, "{unread}, {unasked}");
}

#[test]
fn fd_is_that_of_scipy() {
    let cases = cases("frechet");
    assert_eq!(cases.len(), 5);
    for case in cases {
        with_clouds(&case, |real, fake| {
            let [real, fake] = [real, fake].map(|features| Gaussian::of(features).unwrap());
            // Without full rank either side is as exact as the root of f64's rounding.
            let [.., independent, _] = whole::<7>(&case["of"][0]);
            let [_, _, width, _, _, _, distinct] = whole::<7>(&case["of"][1]);
            let tolerance = if independent < width || distinct == 1 { 1e-6 } else { 1e-10 };
            for got in [real.distance(&fake), fake.distance(&real)] {
                close(got.unwrap(), &case["fd"], 1e-3, tolerance, "FD");
            }
        });
    }
}

#[test]
fn kid_is_that_of_scikit_learns_kernel() {
    let cases = cases("kid");
    assert_eq!(cases.len(), 2);
    for case in cases {
        with_clouds(&case, |real, fake| {
            let [subsets, size] = ["subsets", "size"].map(|key| case[key].as_u64().unwrap() as usize);
            let got = kid::over(real, fake, subsets, size).unwrap();
            assert_eq!(got, Kid { subsets, size, ..got });
            close(got.mean, &case["mean"], 1.0, 1e-9, "mean");
            close(got.deviation, &case["deviation"], 1.0, 1e-9, "deviation");
        });
    }
}

#[test]
fn precision_recall_density_and_coverage_are_those_of_prdc() {
    let cases = cases("manifold");
    assert_eq!(cases.len(), 5);
    for case in cases {
        with_clouds(&case, |real, fake| {
            let got = manifold(real, fake, case["nearest"].as_u64().unwrap() as usize).unwrap();
            let values = [got.precision, got.recall, got.density, got.coverage];
            for (got, key) in values.into_iter().zip(["precision", "recall", "density", "coverage"]) {
                close(got, &case[key], 1.0, 1e-12, key);
            }
        });
    }
}
