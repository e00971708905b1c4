//! The tests that go over all operations, and over all shaders.

use super::check::{Case, Layout, Scene, assert_close, check, floats, scenes};
use super::*;
use crate::engine::gpu::{GpuContext, GpuEngine};
use crate::engine::{block_on, gpu};
use std::path::{Path, PathBuf};

/// The differentiable operations, by their file.
fn all_cases() -> Vec<(&'static str, Vec<Case>)> {
    vec![
        ("activation", activation::cases()),
        ("affine", affine::cases()),
        ("binary", binary::cases()),
        ("concat", concat::cases()),
        ("conv", conv::cases()),
        ("conv_transpose", conv_transpose::cases()),
        ("conv_weights", conv_weights::cases()),
        ("dropout", dropout::cases()),
        ("lookup", lookup::cases()),
        ("map", map::cases()),
        ("normalize", normalize::cases()),
        ("pick", pick::cases()),
        ("product", product::cases()),
        ("reduce", reduce::cases()),
        ("reshape", reshape::cases()),
        ("softmax", softmax::cases()),
        ("translate", translate::cases()),
        ("upsample", upsample::cases()),
        ("window", window::cases()),
    ]
}

/// The others, by their file.
fn other_scenes() -> Vec<(&'static str, Vec<Scene>)> {
    vec![
        ("adam", adam::scenes()),
        ("average", average::scenes()),
        ("block", block::scenes()),
        ("chain", chain::scenes()),
        ("clip", clip::scenes()),
        ("conv", conv::large_scenes(false)),
        ("conv_transpose", conv::large_scenes(true)),
        ("draw", draw::scenes()),
        ("gather", gather::scenes()),
        ("log", log::scenes()),
        ("noise", noise::scenes()),
        ("normalize", normalize::scenes()),
        ("product", product::scenes()),
        ("replay", replay::scenes()),
        ("schedule", schedule::scenes()),
        ("sgd", sgd::scenes()),
        ("softmax", softmax::scenes()),
        ("spectral", spectral::scenes()),
        ("tick", tick::scenes()),
        ("update", update::scenes()),
        ("window", window::scenes()),
    ]
}

fn layouts() -> Vec<(&'static str, Layout)> {
    let mut layouts = activation::layouts();
    layouts.extend([
        adam::layout(),
        affine::layout(),
        average::layout(),
        binary::layout(),
        block::layout(),
        chain::layout(),
        clip::layout(),
        concat::layout(),
        conv_weights::layout(),
        draw::layout(),
        dropout::layout(),
        gather::layout(),
        log::layout(),
        lookup::layout(),
        map::layout(),
        noise::layout(),
        normalize::layout(),
        pick::layout(),
        reduce::layout(),
        replay::layout(),
        schedule::layout(),
        sgd::layout(),
        softmax::layout(),
        spectral::layout(),
        tick::layout(),
        translate::layout(),
        update::layout(),
        upsample::layout(),
        window::layout(),
    ]);
    layouts.extend(conv::layouts());
    layouts.extend(conv_transpose::layouts());
    layouts.extend(product::layouts());
    layouts
}

#[test]
fn values_and_gradients_match_finite_differences_of_the_formulas() {
    for (file, cases) in all_cases() {
        assert!(!cases.is_empty(), "{file} has no cases");
        check(cases);
    }
}

#[test]
fn the_gpu_computes_what_the_cpu_computes() {
    let Some(context) = gpu::test_context() else { return };
    let (mut scenes_run, mut quads_run) = (0, 0);
    for (file, scenes) in all_cases().into_iter().map(|(f, c)| (f, scenes(c))).chain(other_scenes()) {
        assert!(!scenes.is_empty(), "{file} has no scenes");
        for scene in scenes {
            // All kinds' kernels, whatever the adapter is, where they differ.
            let kinds = [Adapter::Hardware, Adapter::Software, Adapter::SoftwareQuads];
            let kernels = kinds.map(|kind| kernels(&scene, kind));
            for (i, kind) in kinds.into_iter().enumerate().filter(|&(i, _)| !kernels[..i].contains(&kernels[i])) {
                assert!(kind != Adapter::SoftwareQuads || context.has_quads(), "{}: no quads here", scene.name);
                compare(&context.clone().assume(kind), &scene);
                scenes_run += 1;
                quads_run += usize::from(i == 2);
            }
        }
    }
    // So that a harness that quietly runs nothing fails.
    assert!(scenes_run >= 200, "only {scenes_run} scenes ran on the GPU");
    assert!(quads_run >= 6, "only {quads_run} scenes ran in quads");
    println!("{scenes_run} scenes on {}", context.name());
}

/// What a scene dispatches on such an adapter.
fn kernels(scene: &Scene, kind: Adapter) -> String {
    let ops = scene.recording.programs.iter().flat_map(|p| &p.ops);
    ops.map(|op| format!("{:?}", op.kernel(kind))).collect()
}

fn compare(context: &GpuContext, scene: &Scene) {
    let expected = scene.on_cpu();
    let mut engine = block_on(GpuEngine::new(context.clone(), &scene.recording, 0))
        .unwrap_or_else(|e| panic!("{}: {e}", scene.name));
    let got = scene.play(&mut engine);
    for (i, (got, expected)) in got.iter().zip(&expected).enumerate() {
        let what = format!("{}, output {i} on the GPU", scene.name);
        if scene.tolerance == 0.0 {
            assert_eq!(got, expected, "{what}");
        } else {
            assert_close(&what, &floats(got), &floats(expected), scene.tolerance);
        }
    }
}

fn shader_files() -> Vec<PathBuf> {
    fn walk(folder: &Path, found: &mut Vec<PathBuf>) {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                walk(&path, found);
            } else if path.extension().is_some_and(|e| e == "wgsl") {
                found.push(path);
            }
        }
    }
    let mut found = Vec::new();
    walk(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"), &mut found);
    found
}

/// A shader's text with the files before it that its first line names.
fn whole(path: &Path) -> String {
    let text = std::fs::read_to_string(path).unwrap();
    let first = text.lines().next().unwrap_or_default();
    let names = first.strip_prefix("// Comes after ").map_or(vec![], |names| names.split(" and ").collect());
    let before = names.iter().map(|n| std::fs::read_to_string(path.with_file_name(n.trim_end_matches('.'))).unwrap());
    // Of alternatives, the sample that stands in the file has these: see update.wgsl.
    let left_out = [
        "rows",
        "bias",
        "dense",
        "aligned",
        "transpose",
        "alone",
        "from_values",
        "to_one",
        "weights_by_value",
        "put_by_value",
        "singles",
        "values",
    ];
    let sample = |text: String| left_out.iter().fold(text, |text, name| marks::keep(&text, name, false));
    before.chain([text.clone()]).map(sample).collect()
}

fn parse(path: &Path) -> naga::Module {
    let source = whole(path);
    naga::front::wgsl::parse_str(&source)
        .unwrap_or_else(|e| panic!("{}", e.emit_to_string_with_path(&source, &path.to_string_lossy())))
}

#[test]
fn every_shader_is_valid() {
    let files = shader_files();
    assert!(files.len() >= 20, "found only {files:?}");
    for path in files {
        let mut validator =
            naga::valid::Validator::new(naga::valid::ValidationFlags::all(), naga::valid::Capabilities::SUBGROUP);
        validator.validate(&parse(&path)).unwrap_or_else(|e| panic!("{}: {e:?}", path.display()));
    }
}

/// The fields of a shader's `Params` as naga lays them out.
fn shader_layout(module: &naga::Module) -> Vec<(String, String, usize)> {
    let (_, params) = module.types.iter().find(|(_, t)| t.name.as_deref() == Some("Params")).expect("a struct Params");
    let naga::TypeInner::Struct { members, .. } = &params.inner else { panic!("Params is no struct") };
    fn name(module: &naga::Module, ty: naga::Handle<naga::Type>) -> String {
        match module.types[ty].inner {
            naga::TypeInner::Scalar(naga::Scalar::F32) => "f32".into(),
            naga::TypeInner::Scalar(naga::Scalar::U32) => "u32".into(),
            naga::TypeInner::Vector { size: naga::VectorSize::Quad, scalar: naga::Scalar::U32 } => "vec4u".into(),
            naga::TypeInner::Array { base, size: naga::ArraySize::Constant(length), .. } => {
                format!("{}[{length}]", name(module, base))
            }
            ref other => panic!("params have no {other:?}"),
        }
    }
    members.iter().map(|m| (m.name.clone().unwrap_or_default(), name(module, m.ty), m.offset as usize)).collect()
}

/// Whether it is a shader of its own, and not only functions for others.
fn has_entry(path: &Path) -> bool {
    std::fs::read_to_string(path).unwrap().contains("@compute")
}

#[test]
fn params_have_the_same_layout_on_both_sides() {
    let layouts = layouts();
    for path in shader_files().into_iter().filter(|p| p.parent().is_some_and(|d| d.ends_with("ops")) && has_entry(p)) {
        let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
        let (_, host) =
            layouts.iter().find(|(n, _)| *n == name).unwrap_or_else(|| panic!("{name}.wgsl has no layout listed"));
        let shader = shader_layout(&parse(&path));
        let host: Vec<(String, String, usize)> = host.iter().map(|&(n, t, o)| (n.into(), t.into(), o)).collect();
        assert_eq!(shader, host, "{name}.wgsl");
    }
}
