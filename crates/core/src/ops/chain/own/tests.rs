use crate::error::Result;
use crate::ops::Adapter;
use crate::ops::activation::Activation;
use crate::ops::product::Orientation;
use crate::program::{DType, Recorder, Recording, Tensor};

fn recorded(record: impl FnOnce(&mut Recorder) -> Result<Vec<Tensor>>) -> Recording {
    let mut r = Recorder::new();
    r.begin("layers");
    let kept = record(&mut r).unwrap();
    r.finish(true, &kept)
}

/// The names of what each dispatch does.
fn dispatches(record: impl FnOnce(&mut Recorder) -> Result<Vec<Tensor>>) -> Vec<Vec<&'static str>> {
    let ops = &recorded(record).programs[0].ops;
    ops.iter().map(|op| op.parts().map_or(vec![op.name()], |all| all.iter().map(|op| op.name()).collect())).collect()
}

fn input<const N: usize>(r: &mut Recorder, shape: [usize; N]) -> Tensor {
    r.input("input", shape, DType::F32)
}

/// From images through a convolution and a head to logits `[batch, 1]`, and by the loss of those back to the images.
fn judged(
    r: &mut Recorder,
    batch: usize,
    loss: impl FnOnce(&mut Recorder, Tensor) -> Result<Tensor>,
) -> Result<Tensor> {
    let [x, w, head] = [input(r, [batch, 5, 5, 4]), input(r, [3, 3, 4, 4]), input(r, [100, 1])];
    let y = r.conv(x, w, 1, 1)?;
    let y = r.activation(y, Activation::LeakyRelu(0.2))?;
    let y = r.reshape(y, [batch, 100])?;
    let logits = r.product(y, head, Orientation::Plain)?;
    let loss = loss(r, logits)?;
    Ok(r.gradients(loss, &[x])?[0])
}

#[test]
fn a_loss_that_adds_up_images_leaves_one_chain() {
    let squares = dispatches(|r| Ok(vec![judged(r, 6, |r, logits| r.sum_of_squares(logits))?]));
    let there_and_back = ["conv", "product", "repeat", "binary", "product", "conv_transpose"];
    assert_eq!(squares, [&there_and_back[..], &["sum"]]);
    let distant = dispatches(|r| {
        let loss = |r: &mut Recorder, logits| {
            let [real, fake] = [r.slice(logits, 0, 0, 3)?, r.slice(logits, 0, 3, 3)?];
            let [real, fake] = [r.mean(real)?, r.mean(fake)?];
            r.sub(fake, real)
        };
        Ok(vec![judged(r, 6, loss)?])
    });
    assert!(distant[0].starts_with(&["conv", "product"]), "a gradient that asks no image: {distant:?}");
    assert!(distant[0].ends_with(&["product", "conv_transpose"]), "{distant:?}");
}

#[test]
fn a_loss_that_compares_images_stays_between_two() {
    let pairs = |r: &mut Recorder, logits| {
        let [real, fake] = [r.slice(logits, 0, 0, 3)?, r.slice(logits, 0, 3, 3)?];
        let apart = r.sub(fake, real)?;
        let terms = r.softplus(apart)?;
        r.mean(terms)
    };
    let [there, _, back] = dispatches(|r| Ok(vec![judged(r, 6, pairs)?])).try_into().expect("three dispatches");
    assert_eq!(there, ["conv", "product"]);
    assert_eq!(back, ["product", "conv_transpose"]);
    let of_all = |r: &mut Recorder, logits| {
        let squares = r.sum_of_squares(logits)?;
        r.sqrt(squares)
    };
    assert_eq!(dispatches(|r| Ok(vec![judged(r, 6, of_all)?])).len(), 3);
}

#[test]
fn what_other_images_have_in_the_same_chain_is_not_read() {
    let all = dispatches(|r| {
        let (x, w) = (input(r, [4, 5, 5, 4]), input(r, [3, 3, 4, 4]));
        let y = r.conv(x, w, 1, 1)?;
        let one = r.softplus(y)?;
        let y = r.conv(one, w, 1, 1)?;
        let y = r.conv(y, w, 1, 1)?;
        // Each image meets the next one's.
        let later = r.slice(one, 0, 1, 3)?;
        let later = r.pad(later, 0, 0, 4)?;
        let y = r.add(y, later)?;
        Ok(vec![r.conv(y, w, 1, 1)?])
    });
    let with = |name: &str| all.iter().position(|dispatch| dispatch.contains(&name)).unwrap();
    assert!(with("map") < with("slice"), "{all:?}");
}

#[test]
fn what_lies_beside_it_in_another_way_ends_the_chain() {
    // Four images' values are the first two rows of as many images of eight channels.
    let all = dispatches(|r| {
        let (x, w) = (input(r, [4, 4, 4, 4]), input(r, [3, 3, 4, 4]));
        let (wide, others) = (input(r, [3, 3, 8, 4]), input(r, [2, 128]));
        let narrow = r.conv(x, w, 1, 1)?;
        let others = r.softplus(others)?;
        let beside = r.conv(narrow, w, 1, 1)?;
        let narrow = r.reshape(narrow, [2, 128])?;
        let both = r.concat(narrow, others, 0)?;
        let both = r.reshape(both, [4, 4, 4, 8])?;
        Ok(vec![beside, r.conv(both, wide, 1, 1)?])
    });
    let last = all.last().unwrap();
    assert_eq!(last, &["conv"], "it waits for images that others have: {all:?}");
}

#[test]
fn one_thread_has_one_value_of_an_image_and_waits_for_nobody() {
    let barriers = |record: &dyn Fn(&mut Recorder) -> Result<Vec<Tensor>>| {
        let recording = recorded(record);
        let text = recording.programs[0].ops[0].kernel(Adapter::Hardware).shader.source;
        let (_, own) = text.split_once("fn link2_run").expect("behind a convolution and a head");
        own.split_once("\nfn ").unwrap().0.matches("storageBarrier();").count()
    };
    let softplus = |r: &mut Recorder, logits| {
        let minus = r.affine(logits, -1.0, 0.0)?;
        let terms = r.softplus(minus)?;
        r.mean(terms)
    };
    assert_eq!(barriers(&|r| Ok(vec![judged(r, 6, softplus)?])), 0);
    // Of several columns one thread has each, and other threads the sum's.
    let columns = |r: &mut Recorder| {
        let [x, w, head] = [input(r, [6, 5, 5, 4]), input(r, [3, 3, 4, 4]), input(r, [100, 3])];
        let y = r.conv(x, w, 1, 1)?;
        let y = r.reshape(y, [6, 100])?;
        let scores = r.product(y, head, Orientation::Plain)?;
        let [first, last] = [r.slice(scores, 1, 0, 1)?, r.slice(scores, 1, 2, 1)?];
        let both = r.mul(first, last)?;
        let loss = r.sum_of_squares(both)?;
        Ok(vec![r.gradients(loss, &[x])?[0]])
    };
    assert!(barriers(&columns) > 0);
}

#[test]
fn a_chain_that_is_cut_loses_none_of_them() {
    // Three layers there, of which so many are kept: each of those binds a memory of its own.
    let names = |kept: usize| {
        let all = dispatches(|r| {
            let [x, w, head] = [input(r, [6, 5, 5, 4]), input(r, [3, 3, 4, 4]), input(r, [100, 1])];
            let mut layers = vec![x];
            for i in 0..6 {
                layers.push(r.conv(layers[i], w, 1, 1)?);
            }
            let y = r.reshape(layers[6], [6, 100])?;
            let logits = r.product(y, head, Orientation::Plain)?;
            let loss = r.sum_of_squares(logits)?;
            let dx = r.gradients(loss, &[x])?[0];
            Ok([&layers[7 - kept..], &[dx]].concat())
        });
        let mut names = all.concat();
        names.sort_unstable();
        (all.len(), names)
    };
    let [(whole, all), (cut, same)] = [names(0), names(6)];
    assert!(whole < cut, "{whole} and {cut} dispatches");
    assert_eq!(all, same);
}
