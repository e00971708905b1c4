//! Sets of fakes that are wrong in one way each: what the report, FD, KID and the manifold's figures must say of them. The
//! features are a made-up judge's: ten clusters, one for each digit, and between them nothing.

use super::frechet::Gaussian;
use super::kid::{kid, mixed};
use super::manifold::{Manifold, NEAREST, manifold};
use super::report::{Confusion, Histogram, Report};
use super::{Features, kid::Kid};

const WIDTH: usize = 16;
const COUNT: usize = 600;

/// From −1 to 1.
fn noise(stream: u64, i: usize) -> f32 {
    (mixed(stream << 32 | i as u64) >> 40) as f32 / (1 << 23) as f32 - 1.0
}

/// An image as the judge would see it: its features, and the digit that it reads.
struct Set {
    asked: Vec<u8>,
    read: Vec<u8>,
    features: Vec<f32>,
}

/// Images that show these digits: each around its digit's cluster, in two directions, and a little in all others.
fn drawn(stream: u64, shown: impl Fn(usize) -> u8, scatter: f32) -> Set {
    let asked: Vec<u8> = (0..COUNT).map(|i| (i % 10) as u8).collect();
    let read: Vec<u8> = (0..COUNT).map(shown).collect();
    let value = |i: usize, j: usize| {
        let of_digit = |what: usize| noise(90 + what as u64, usize::from(read[i]) * WIDTH + j);
        let along = |direction: usize| noise(stream, i * 2 + direction) * of_digit(1 + direction);
        3.0 * of_digit(0) + scatter * (along(0) + along(1) + 0.05 * noise(stream + 20, i * WIDTH + j))
    };
    let features = (0..COUNT * WIDTH).map(|at| value(at / WIDTH, at % WIDTH)).collect();
    Set { asked, read, features }
}

fn real() -> Set {
    drawn(1, |i| (i % 10) as u8, 1.0)
}

#[derive(Debug)]
struct Figures {
    report: Report,
    entropy: f64,
    fd: f64,
    kid: Kid,
    manifold: Manifold,
}

fn figures(fakes: &Set) -> Figures {
    let real = real();
    let [x, y] = [&real, fakes].map(|set| Features::new("features", &set.features, WIDTH).unwrap());
    Figures {
        report: Confusion::of(&fakes.asked, &fakes.read).unwrap().report(),
        entropy: Histogram::of(&fakes.read).unwrap().entropy,
        fd: Gaussian::of(x).unwrap().distance(&Gaussian::of(y).unwrap()).unwrap(),
        kid: kid(x, y).unwrap(),
        manifold: manifold(x, y, NEAREST).unwrap(),
    }
}

/// Other real images: what all others are compared with.
fn good() -> Figures {
    figures(&drawn(2, |i| (i % 10) as u8, 1.0))
}

#[test]
fn good_fakes_are_good_in_every_figure() {
    let good = good();
    assert_eq!((good.report.accuracy, good.report.macro_average.f1), (1.0, 1.0));
    assert!((good.entropy - 10f64.ln()).abs() < 1e-12);
    assert!(good.fd > 0.0 && good.fd < 0.5, "{}", good.fd);
    assert!(good.kid.mean.abs() < 0.5, "{:?}", good.kid);
    assert!(good.manifold.coverage > 0.9 && (0.8..1.3).contains(&good.manifold.density), "{:?}", good.manifold);
}

#[test]
fn mislabelled_fakes_show_in_the_report_alone() {
    // Each digit is the next one.
    let wrong = figures(&drawn(2, |i| ((i + 1) % 10) as u8, 1.0));
    assert_eq!((wrong.report.accuracy, wrong.report.macro_average.f1), (0.0, 0.0));
    // As images they are as good as any.
    assert!(wrong.fd < 0.5 && wrong.manifold.coverage > 0.9 && wrong.entropy > 2.3, "{}", wrong.fd);
    // Two digits exchanged are named.
    let two = figures(&drawn(2, |i| [0, 1, 2, 5, 4, 3, 6, 7, 8, 9][i % 10], 1.0));
    for (digit, scores) in two.report.digits.iter().enumerate() {
        assert_eq!(scores.f1, if [3, 5].contains(&digit) { 0.0 } else { 1.0 }, "{digit}");
    }
    assert_eq!(two.report.accuracy, 0.8);
}

#[test]
fn one_digit_alone_shows_in_report_entropy_fd_and_coverage() {
    let ones = figures(&drawn(2, |_| 1, 1.0));
    assert_eq!((ones.report.accuracy, ones.report.digits[1].recall, ones.report.digits[1].precision), (0.1, 1.0, 0.1));
    assert!(ones.report.digits.iter().enumerate().all(|(digit, s)| digit == 1 || s.f1 == 0.0));
    assert_eq!(ones.entropy, 0.0);
    assert!(ones.fd > 20.0 * good().fd && ones.kid.mean > 5.0, "{}, {:?}", ones.fd, ones.kid);
    // They are images like real ones, but only like a tenth of them.
    assert!(ones.manifold.density > 0.7 && ones.manifold.precision > 0.9, "{:?}", ones.manifold);
    assert!((0.05..=0.1).contains(&ones.manifold.coverage), "{:?}", ones.manifold);
}

#[test]
fn blank_fakes_show_in_every_figure() {
    // A blank image is one point, and no digit's.
    let mut blank = drawn(2, |_| 7, 0.0);
    blank.features.fill(0.0);
    let blank = figures(&blank);
    assert_eq!((blank.report.accuracy, blank.entropy), (0.1, 0.0));
    assert!(blank.fd > 20.0 * good().fd && blank.kid.mean > 5.0, "{}, {:?}", blank.fd, blank.kid);
    assert_eq!(blank.manifold, Manifold { precision: 0.0, recall: 0.0, density: 0.0, coverage: 0.0 });
}

#[test]
fn noise_shows_in_report_fd_and_coverage_whatever_digits_it_is_read_as() {
    // Spread over all of the space, and read as anything.
    let mut scattered = drawn(2, |i| (mixed(i as u64) % 10) as u8, 0.0);
    scattered.features = (0..COUNT * WIDTH).map(|at| 8.0 * noise(5, at)).collect();
    let scattered = figures(&scattered);
    assert!(scattered.report.accuracy < 0.2 && scattered.report.macro_average.f1 < 0.2);
    assert!(scattered.entropy > 2.2);
    assert!(scattered.fd > 20.0 * good().fd && scattered.kid.mean > 5.0, "{}, {:?}", scattered.fd, scattered.kid);
    assert!(scattered.manifold.density < 0.01 && scattered.manifold.coverage < 0.01, "{:?}", scattered.manifold);
    // It reaches everywhere, which recall takes for diversity.
    assert!(scattered.manifold.recall > 0.9, "{:?}", scattered.manifold);
}

#[test]
fn one_form_of_each_digit_shows_in_coverage_though_the_report_is_perfect() {
    let poor = figures(&drawn(2, |i| (i % 10) as u8, 0.02));
    assert_eq!((poor.report.accuracy, poor.report.macro_average.f1), (1.0, 1.0));
    assert!((poor.entropy - 10f64.ln()).abs() < 1e-12);
    // They are where real images are, but not everywhere.
    assert!(poor.manifold.precision > 0.9 && poor.manifold.density > 0.9, "{:?}", poor.manifold);
    assert!(poor.manifold.coverage < 0.2 && poor.manifold.recall < 0.05, "{:?}", poor.manifold);
    assert!(poor.fd > 10.0 * good().fd, "{}", poor.fd);
}
