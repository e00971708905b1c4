//! `digit-forge fool`, on MNIST's own test images, which `npm run data` prepares.

use crate::scene::Scene;
use std::path::Path;

/// What was printed, row by row.
fn table(scene: &Scene, args: &[&str]) -> (String, Vec<Vec<String>>) {
    let text = String::from_utf8(scene.succeeds(&[&["fool"], args].concat()).stdout).unwrap();
    let mut lines = text.trim_end().lines().map(str::to_owned);
    let title = lines.next().unwrap();
    assert_eq!(lines.next().unwrap().split_whitespace().collect::<Vec<_>>(), ["strength", "right", "accuracy"]);
    (title, lines.map(|line| line.split_whitespace().map(str::to_owned).collect()).collect())
}

#[test]
fn fewer_digits_are_read_right_the_further_pixels_are_moved() {
    let data = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../data/mnist");
    let data = data.to_str().unwrap();
    let (title, rows) = table(&Scene::new(), &["--data", data, "--images", "500", "--strengths", "0,.05,0.1,.2,.3"]);
    assert!(title.contains("the first 500 of 10000 images") && title.contains("judge seed=1&steps=20000"), "{title}");
    assert_eq!(rows.iter().map(|row| row[0].as_str()).collect::<Vec<_>>(), ["0", "0.05", "0.1", "0.2", "0.3"]);
    let right: Vec<u32> = rows.iter().map(|row| row[1].parse().unwrap()).collect();
    assert!(right[0] > 490 && right[4] < 250 && right.windows(2).all(|two| two[0] > two[1]), "{right:?}");
    assert_eq!(rows[1][2..], [format!("{:.2}", f64::from(right[1]) / 5.0), "%".into()]);
}

#[test]
fn any_pair_can_be_attacked_and_what_cannot_be_is_named() {
    let scene = Scene::new();
    let [images, labels] = ["data/mnist/train-images-idx3-ubyte", "data/mnist/train-labels-idx1-ubyte"];
    let (title, rows) = table(&scene, &["--idx", labels, images, "--images", "20"]);
    assert!(title.contains("the first 20 of 1000 images") && rows.len() == 7, "{title} {rows:?}");
    scene.refuses(&["fool"], 1, &["t10k-images-idx3-ubyte", "not found", "npm run data"]);
    for strengths in ["-0.1", "1.5", "x", ""] {
        scene.refuses(&["fool", &format!("--strengths={strengths}")], 2, &["--strengths", "from 0 to 1"]);
    }
}
