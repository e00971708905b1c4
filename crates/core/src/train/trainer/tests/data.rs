//! What is trained on: nothing before it is there, and however few images there are.

use super::{TINY, assert_trains, save, toy_data};
use crate::data::{ImageShape, MNIST_IMAGES, idx};
use crate::train::Trainer;
use crate::train::settings::resolve;

#[test]
fn training_cannot_start_without_its_images() {
    let resolved = resolve(TINY).unwrap();
    let mut trainer = Trainer::cpu(resolved.preset, resolved.settings, MNIST_IMAGES).unwrap();
    let (images, labels) = toy_data(400);
    assert!(trainer.run(1).unwrap_err().to_string().contains("0 of the first 1000"));
    trainer.add_data(&images, &labels).unwrap();
    assert!(trainer.run(1).unwrap_err().to_string().contains("400 of the first 1000"));
    let fewer = idx::write_labels(&[1; 399]);
    assert!(trainer.add_data(&images, &fewer).unwrap_err().to_string().contains("400 images but 399 labels"));
    let large = idx::write_images(ImageShape { rows: 32, columns: 32 }, &[0; 1024]);
    assert!(trainer.add_data(&large, &idx::write_labels(&[1])).unwrap_err().to_string().contains("32×32"));
    assert_eq!(trainer.images_available(), 400);
    trainer.add_data(&images, &labels).unwrap();
    trainer.add_data(&images, &labels).unwrap();
    assert_eq!(trainer.images_available(), 1000);
    trainer.run(1).unwrap();
}

#[test]
fn a_small_data_set_is_trained_on_as_a_whole() {
    let resolved = resolve(TINY).unwrap();
    let of = |data: usize| Trainer::cpu(resolved.preset, resolved.settings.clone(), data);
    // Not a multiple of the four that lie in a word, and a batch larger than the whole.
    for count in [1, 3, 13] {
        let mut trainer = of(count).unwrap();
        assert_eq!((trainer.images_wanted(), trainer.images_to_start()), (count, count));
        let (images, labels) = toy_data(count);
        trainer.add_data(&images, &labels).unwrap();
        assert_trains(&mut trainer, 20, &format!("{count} images"));
    }
    assert!(of(0).is_err());
    assert_eq!(of(1500).unwrap().images_wanted(), 1000);
    // A checkpoint has nothing of the data set in it.
    let mut trainer = of(13).unwrap();
    trainer.load(&save(&mut super::trainer(TINY))).unwrap();
}
