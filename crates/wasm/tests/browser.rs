//! The binding in a real browser, in a worker as the page has it: the CPU engine in SIMD wasm, and WebGPU (SwiftShader
//! where there is no GPU). A browser without an adapter fails these tests.
#![cfg(target_arch = "wasm32")]

use digit_forge_core::data::{IMAGE, idx};
use digit_forge_wasm::{Forge, checkpoint_settings, description, networks, prepare, resolve};
use js_sys::{Array, Float32Array, Promise, Uint8Array};
use std::cell::Cell;
use std::rc::Rc;
use wasm_bindgen::JsCast;
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::JsFuture;
use wasm_bindgen_test::{wasm_bindgen_test, wasm_bindgen_test_configure};

wasm_bindgen_test_configure!(run_in_dedicated_worker);

/// `JsError` shows nothing of itself in Rust.
fn message(error: JsError) -> String {
    js_sys::Error::from(JsValue::from(error)).message().into()
}

fn ok<T>(result: Result<T, JsError>) -> T {
    result.unwrap_or_else(|e| panic!("{}", message(e)))
}

fn refused<T>(result: Result<T, JsError>) -> String {
    message(result.err().expect("this must be refused"))
}

async fn value<T: JsCast>(promise: Promise) -> T {
    JsFuture::from(promise).await.expect("the promise holds").unchecked_into()
}

/// Images of which digit `d` is `d + 1` bright rows, and their digits.
fn digits(count: usize) -> (Vec<u8>, Vec<u8>) {
    let labels: Vec<u8> = (0..count).map(|i| (i % 10) as u8).collect();
    let row = |n: usize| if n % IMAGE.rows <= usize::from(labels[n / IMAGE.rows]) { [220; 28] } else { [0; 28] };
    ((0..count * IMAGE.rows).flat_map(row).collect(), labels)
}

/// With a thousand of them.
fn with_data(mut forge: Forge) -> Forge {
    let (pixels, labels) = digits(1000);
    ok(forge.add_data(&idx::write_images(IMAGE, &pixels), &idx::write_labels(&labels)));
    forge
}

const SMALL: &str = "images=1000&gChannels=4&dChannels=4";
/// Widths of whole panels, of parts of one, and deeper than a stretch of them.
const MLP: &str = "images=1000&network=mlp&gWidths=33,48&dWidths=1030,18";

/// Between them, all that the networks can be built of and every trick: each has a shader that the browser must take.
const RICH: [&str; 2] = [
    "images=1000&gChannels=2&dChannels=2&batch=6&gNorm=batch&dNorm=layer&upsampling=nearest&condition=map&dropout=0.2\
     &minibatchDeviation=on&pack=2&translate=2&replay=20&instanceNoise=0.1&r1=1&loss=hinge",
    "images=1000&gChannels=2&dChannels=2&batch=6&size=56&gNorm=layer&dNorm=spectral&gDepth=2&dDepth=2&condition=embedding\
     &loss=relativistic&clip=0.5&optimizer=rmsprop&dOptimizer=sgd&momentum=0.5&clipNorm=1&schedule=cosine&warmup=3",
];

async fn losses(forge: &mut Forge, submits: &[u32]) -> Vec<f32> {
    submits.iter().for_each(|&steps| ok(forge.run(steps)));
    value::<JsValue>(forge.settle()).await;
    value::<Float32Array>(forge.metrics()).await.to_vec()
}

#[wasm_bindgen_test]
async fn both_engines_see_the_same_losses() {
    for text in [SMALL, MLP].into_iter().chain(RICH) {
        let mut cpu = with_data(ok(Forge::cpu(text, None)));
        let told = Rc::new(Cell::new((0, 0)));
        let noted = Rc::clone(&told);
        let hears = Closure::<dyn Fn(u32, u32)>::new(move |made, all| noted.set((made, all)));
        let hearing = hears.as_ref().clone().unchecked_into();
        let mut gpu = with_data(ok(Forge::gpu(text.into(), None, None, Some(hearing)).await));
        let (made, all) = told.get();
        assert!(made == all && all > 5, "{text}: told of {made} of {all} shaders");
        assert_eq!((cpu.engine().as_str(), gpu.engine().as_str()), ("cpu", "gpu"));
        let (a, b) = (losses(&mut cpu, &[10]).await, losses(&mut gpu, &[4, 6]).await);
        assert_eq!((a.len(), b.len()), (50, 50));
        for (a, b) in a.iter().zip(&b) {
            // Rounding differs between engines, and training amplifies it: 1e-3 over the first ten steps.
            assert!((a - b).abs() <= 1e-3 * (1.0 + a.abs()), "{text}: {a} on the CPU, {b} on the GPU");
        }
    }
}

#[wasm_bindgen_test]
async fn a_run_learns_on_either_engine() {
    for forge in [ok(Forge::cpu(SMALL, None)), ok(Forge::gpu(SMALL.into(), None, None, None).await)] {
        let mut forge = with_data(forge);
        losses(&mut forge, &[50, 50, 50, 50]).await;
        let images = value::<Uint8Array>(ok(forge.images())).await.to_vec();
        assert_eq!(images.len(), forge.rows() * forge.columns() * IMAGE.pixels());
        // A nine has ten bright rows and a zero has one.
        let (rows, engine) = (forge.rows(), forge.engine());
        let ink = |digit: usize| {
            let image = |row: usize| &images[(row * 10 + digit) * IMAGE.pixels()..][..IMAGE.pixels()];
            (0..rows).flat_map(image).map(|&v| u32::from(v)).sum::<u32>()
        };
        assert!(ink(9) > 3 * ink(0), "{engine}: {} against {}", ink(9), ink(0));
    }
}

#[wasm_bindgen_test]
async fn samples_have_numbers_and_digits() {
    let mut forge = with_data(ok(Forge::cpu(SMALL, None)));
    let mut parts = Vec::new();
    for (first, count) in [(0, 90), (0, 30), (30, 60)] {
        let sampled: Array = value(ok(forge.samples(first, count))).await;
        let [images, labels] = [0, 1].map(|i| sampled.get(i).unchecked_into::<Uint8Array>().to_vec());
        assert!(labels.iter().enumerate().all(|(i, &label)| usize::from(label) == (first + i) % 10));
        parts.push(images);
    }
    assert_eq!(parts[0], [&parts[1][..], &parts[2]].concat());
}

#[wasm_bindgen_test]
async fn of_images_that_it_can_not_tell_apart_d_prefers_none() {
    let (known, labels) = digits(128);
    let blank = vec![0; known.len()];
    for forge in [ok(Forge::cpu(SMALL, None)), ok(Forge::gpu(SMALL.into(), None, None, None).await)] {
        let mut forge = with_data(forge);
        losses(&mut forge, &[50, 50]).await;
        let same: JsValue = value(ok(forge.preference(&known, &labels, &known, &labels))).await;
        assert_eq!(same.as_f64(), Some(0.5));
        let better: JsValue = value(ok(forge.preference(&known, &labels, &blank, &labels))).await;
        assert!(better.as_f64() > Some(0.9), "{better:?}");
        assert!(refused(forge.preference(&known, &labels, &known[1..], &labels)).contains("pixels"));
    }
}

#[wasm_bindgen_test]
async fn a_checkpoint_moves_from_one_engine_to_the_other() {
    let mut gpu = with_data(ok(Forge::gpu(SMALL.into(), None, None, None).await));
    losses(&mut gpu, &[5]).await;
    let file = value::<Uint8Array>(ok(gpu.save())).await.to_vec();
    let mut cpu = with_data(ok(Forge::cpu(SMALL, None)));
    ok(cpu.load(&file));
    assert_eq!(cpu.step(), 5);
    let (a, b) =
        (value::<Uint8Array>(ok(gpu.images())).await.to_vec(), value::<Uint8Array>(ok(cpu.images())).await.to_vec());
    assert!(a.iter().zip(&b).all(|(a, b)| a.abs_diff(*b) <= 1));
    for raw in [false, true] {
        let [a, b] = [&mut gpu, &mut cpu].map(|forge| ok(forge.wants(raw)));
        let [a, b] = [value::<Float32Array>(a).await.to_vec(), value::<Float32Array>(b).await.to_vec()];
        assert_eq!(a.len(), 80 * IMAGE.pixels());
        assert!(a.iter().any(|v| *v != 0.0) && a.iter().zip(&b).all(|(a, b)| (a - b).abs() < 1e-3 * (1.0 + b.abs())));
    }
    ok(cpu.take_care().await);
    assert!(refused(cpu.load(&file[..file.len() / 2])).contains("safetensors"));
    assert_eq!(cpu.step(), 5);
    // It is still cared for, until another run takes its place.
    assert_ne!(ok(cpu.observe(5, None, None, None, None, None).await), "null");
    ok(cpu.load(&file));
    assert_eq!(ok(cpu.observe(5, None, None, None, None, None).await), "null");
}

#[wasm_bindgen_test]
async fn a_checkpoint_says_its_settings_and_a_bad_file_its_fault() {
    let mut run = with_data(ok(Forge::cpu(&format!("{SMALL}&seed=7"), None)));
    ok(run.run(2));
    ok(run.tune(&format!("{SMALL}&seed=7&gRate=0.001")));
    let file = value::<Uint8Array>(ok(run.save())).await.to_vec();
    let text = checkpoint_settings(&file).expect("a checkpoint of ours");
    assert_eq!(text, "preset=quick&images=1000&seed=7&gChannels=4&dChannels=4&gRate=0.001");
    let mut again = ok(Forge::cpu(&text, None));
    ok(again.load(&file));
    assert_eq!(again.step(), 2);
    for (broken, fault) in [(&file[..file.len() - 1], "truncated"), (b"\x89PNG\r\n\x1a\n....".as_slice(), "format")] {
        let error = checkpoint_settings(broken).expect_err("this must be refused");
        assert_eq!(String::from(error.name()), fault);
        assert!(String::from(error.message()).contains("safetensors"));
    }
}

#[wasm_bindgen_test]
async fn a_gpu_run_draws_on_its_canvas() {
    let canvas = web_sys::OffscreenCanvas::new(300, 180).expect("a canvas");
    let mut forge = with_data(ok(Forge::gpu(SMALL.into(), Some(canvas), None, None).await));
    losses(&mut forge, &[1]).await;
    ok(forge.draw(0xffffff, 0x000000));
    forge.resize(600, 360);
    ok(forge.draw(0x101010, 0xeeeeee));
    assert!(refused(forge.draw_raw(0, 0)).contains("no canvas"));
    ok(forge.add_raw_canvas(web_sys::OffscreenCanvas::new(300, 180).expect("a canvas")));
    ok(forge.draw_raw(0xffffff, 0x000000));
    value::<JsValue>(forge.settle()).await;
    assert!(refused(ok(Forge::cpu(SMALL, None)).draw(0, 0)).contains("no canvas"));
}

#[wasm_bindgen_test]
fn settings_are_described_and_resolved_as_json() {
    assert!(description().contains(r#""key":"batch""#));
    let resolved = ok(resolve("#preset=quick&batch=999999&seed=9"));
    assert!(resolved.contains(r#""text":"preset=quick&seed=9""#), "{resolved}");
    assert!(resolved.contains("whole number from 1 to 1024"), "{resolved}");
}

#[wasm_bindgen_test]
fn networks_are_told_of_valid_settings_only() {
    let json = ok(networks("gChannels=4"));
    assert!(json.starts_with(r#"[{"network":"generator","parameters":"#), "{json}");
    assert!(refused(networks("gChannels=many&dChannels=few")).contains("`gChannels=many`"));
}

#[wasm_bindgen_test]
async fn bad_input_is_refused_with_its_reason() {
    assert!(refused(Forge::cpu("batch=NaN", None)).contains("`batch=NaN`"));
    assert!(refused(Forge::gpu("bacth=3".into(), None, None, None).await).contains("did you mean `batch`"));
    let mut forge = ok(Forge::cpu(SMALL, None));
    assert!(refused(forge.run(1)).contains("0 of the first 1000"));
    assert!(refused(forge.add_data(&[0, 0, 8], &[])).contains("truncated"));
    assert!(refused(forge.tune("images=1000&gChannels=5&dChannels=4")).contains("new run"));
    ok(forge.tune(&format!("{SMALL}&gRate=0.001")));
}

#[wasm_bindgen_test]
fn a_small_data_set_trains_and_pictures_become_its_images() {
    let mut page = vec![255; 40 * 50];
    page[20 * 40 + 10..20 * 40 + 30].fill(0);
    let image = ok(prepare(&page, 40, 50));
    assert_eq!(image.iter().filter(|&&v| v == 255).count(), 20);
    assert!(refused(prepare(&[9; 600], 20, 30)).contains("blank"));
    let mut forge = ok(Forge::cpu("gChannels=4", Some(12)));
    assert_eq!(forge.images_wanted(), 12);
    ok(forge.add_data(&idx::write_images(IMAGE, &image.repeat(12)), &idx::write_labels(&[3; 12])));
    ok(forge.run(3));
    assert_eq!(forge.step(), 3);
}
