//! What needs a barrier, counted in the written text.

use crate::error::Result;
use crate::ops::Adapter;
use crate::ops::product::Orientation::{Plain, TransposedB};
use crate::ops::tick::{LANES, Lane};
use crate::program::{DType, Init, Recorder, Tensor};

/// The barriers of the one block that these operations become.
fn barriers(record: impl FnOnce(&mut Recorder) -> Result<Vec<Tensor>>) -> usize {
    let mut r = Recorder::new();
    r.begin("block");
    let kept = record(&mut r).unwrap();
    let recording = r.finish(true, &kept);
    let [block] = recording.programs[0].ops.as_slice() else { panic!("one block") };
    assert_eq!(block.name(), "block");
    block.kernel(Adapter::Hardware).shader.source.matches("storageBarrier();").count()
}

/// Of `[8, 3]`, halved, and what is made of that.
fn behind(make: impl FnOnce(&mut Recorder, Tensor) -> Result<Tensor>) -> usize {
    barriers(|r| {
        let x = r.input("x", [8, 3], DType::F32);
        let half = r.affine(x, 0.5, 0.0)?;
        let y = make(r, half)?;
        Ok(vec![half, y])
    })
}

#[test]
fn what_a_thread_reads_of_its_own_needs_no_barrier() {
    assert_eq!(behind(|r, x| r.affine(x, 2.0, 1.0)), 0);
    assert_eq!(behind(|r, x| r.mul(x, x)), 0);
    let flat = |r: &mut Recorder, x| {
        let x = r.reshape(x, [24])?;
        r.affine(x, 2.0, 1.0)
    };
    assert_eq!(behind(flat), 0);
}

#[test]
fn what_it_reads_of_others_needs_one() {
    assert_eq!(behind(|r, x| r.sum_to(x, [1])), 1, "of all");
    assert_eq!(behind(|r, x| r.sum_to(x, [1, 3])), 1, "of a column");
    assert_eq!(behind(|r, x| r.slice(x, 0, 2, 4)), 1, "of later rows");
    assert_eq!(behind(|r, x| r.slice(x, 1, 0, 2)), 1, "of fewer columns");
    let other = |shape: [usize; 2], r: &mut Recorder| r.input("w", shape, DType::F32);
    assert_eq!(
        behind(|r, x| {
            let w = other([3, 2], r);
            r.product(x, w, Plain)
        }),
        1,
        "of a row"
    );
    assert_eq!(
        behind(|r, x| {
            let w = other([5, 3], r);
            r.product(w, x, TransposedB)
        }),
        1,
        "of a column of the product"
    );
    let spread = |r: &mut Recorder, x| {
        let (x, w) = (r.reshape(x, [1, 24])?, r.input("w", [5, 24], DType::F32));
        r.add(x, w)
    };
    assert_eq!(behind(spread), 1, "of one row for all");
    let picked = |r: &mut Recorder, x| {
        let labels = r.input("labels", [8], DType::U32);
        r.pick(x, labels, 0)
    };
    assert_eq!(behind(picked), 1, "of the column that a label names");
    let one = |r: &mut Recorder, x| {
        let x = r.reshape(x, [24])?;
        r.slice(x, 0, 7, 1)
    };
    assert_eq!(behind(one), 1, "of many, by the first");
    let for_all = barriers(|r| {
        let (one, x) = (r.input("one", [1], DType::F32), r.input("x", [8, 3], DType::F32));
        let half = r.affine(one, 0.5, 0.0)?;
        let y = r.mul(x, half)?;
        Ok(vec![half, y])
    });
    assert_eq!(for_all, 1, "of the first, by many");
}

#[test]
fn what_others_have_yet_to_read_is_not_written_before() {
    let count = barriers(|r| {
        let log = r.state("log", [4, 5], DType::F32, Init::Fill(0.0));
        let clock = r.state("clock", [LANES], DType::U32, Init::Fill(0.0));
        let sum = r.sum_of_squares(log)?;
        r.log_row(&[], log, clock, Lane::Generator)?;
        r.tick(clock, Lane::Generator)?;
        Ok(vec![sum])
    });
    assert_eq!(count, 1, "the log is read by many, then written");
}

#[test]
fn what_one_thread_does_alone_needs_none() {
    let count = barriers(|r| {
        let clock = r.state("clock", [LANES], DType::U32, Init::Fill(0.0));
        let log = r.state("log", [4, 5], DType::F32, Init::Fill(0.0));
        r.tick(clock, Lane::Draws)?;
        r.tick(clock, Lane::Generator)?;
        let loss = r.input("loss", [1], DType::F32);
        let half = r.affine(loss, 0.5, 0.0)?;
        r.log_row(&[half, loss], log, clock, Lane::Generator)?;
        Ok(vec![half])
    });
    assert_eq!(count, 0);
}
