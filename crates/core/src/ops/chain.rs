//! Several layers in one dispatch, each workgroup taking an image of its own through all of them.
//!
//! Between two layers of an image nothing waits for other images, only for the layer before. So where a layer of one image is
//! little work for a workgroup, beside what a dispatch costs, a deep network needs no more dispatches than a shallow
//! one. A layer that can serve says in [`super::Op::link`] what it is; the CPU runs the operations themselves.

mod half;
mod link;
mod own;
mod part;
#[cfg(test)]
mod scenes;
mod writer;

pub(crate) use half::{halves, is_half};
pub(super) use link::Form;
pub use link::Link;
pub(crate) use own::{is_own, own};
#[cfg(test)]
pub(super) use scenes::scenes;

use super::block::MOST_MEMORIES;
use super::normalize::EPSILON;
use super::{Adapter, Kernel, Op, Shader, params, shader};
use crate::program::{Recorder, Role, Tensor, distinct};
use std::rc::Rc;

/// The most layers of a chain: it is compiled as a whole.
const MOST_LINKS: usize = 20;
params! { links: u32, epsilon: f32 }

/// Those of a workgroup.
fn threads(adapter: Adapter) -> usize {
    adapter.lanes().unwrap_or(256)
}

/// Layers of one image after another. See the module's head.
pub(crate) struct Chain {
    links: u32,
    parts: Vec<Rc<dyn Op>>,
    images: usize,
    /// The memories it touches, each bound as a whole.
    memories: Vec<Tensor>,
    /// For software adapters, and for GPUs.
    shaders: [Shader; 2],
}

/// Some tensors of all these links.
fn of_links(parts: &[Rc<dyn Op>], some: fn(&Link) -> Vec<Tensor>) -> Vec<Tensor> {
    let mut all = Vec::new();
    for link in parts.iter().filter_map(|op| op.link()) {
        all.extend(some(&link));
    }
    all
}

impl Chain {
    /// Whether links may stand behind these: the first takes the same images from where the last of these put them, what they need of
    /// all images is none that these write, and they need nothing that these write otherwise than image by image.
    pub fn continues(r: &Recorder, parts: &[Rc<dyn Op>], others: &[Rc<dyn Op>]) -> bool {
        let link = |op: Option<&Rc<dyn Op>>| op.and_then(|op| op.link());
        let (Some(last), Some(first)) = (link(parts.last()), link(others.first())) else { return false };
        let (results, mut odd) = (super::writes(parts), of_links(parts, Link::of_all_images));
        odd.retain(|&t| r.meet(&[t], &results));
        last.images == first.images
            && r.is_same_place(last.result, first.source)
            && !r.meet(&of_links(others, Link::of_all_images), &results)
            && !r.meet(&of_links(others, Link::tensors), &odd)
    }

    /// Whether links write what these halves read, and read what they write.
    pub fn between(r: &Recorder, links: &[Link], halves: &[Rc<dyn Op>; 2]) -> bool {
        let [first, then] = halves.each_ref().map(|half| half.link());
        first.is_some_and(|first| links.iter().any(|link| r.is_same_place(link.result, first.source)))
            && then.is_some_and(|then| links.iter().any(|link| r.is_same_place(link.source, then.result)))
    }

    /// What a chain of these operations takes value by value, and what in fours. Apart, each is bound as what it is.
    pub fn sides(parts: &[Rc<dyn Op>]) -> [Vec<Tensor>; 2] {
        let (singles, mut fours) = (of_links(parts, Link::singles), of_links(parts, Link::tensors));
        fours.retain(|t| !singles.contains(t));
        [singles, fours]
    }

    /// The storages that a chain of these operations would bind.
    pub fn storages(parts: &[Rc<dyn Op>], r: &Recorder) -> Vec<Tensor> {
        distinct(of_links(parts, Link::tensors).into_iter().map(|t| r.storage(t)))
    }

    /// Whether one chain has room for these operations.
    pub fn has_room(parts: &[Rc<dyn Op>], r: &Recorder) -> bool {
        // Results will share pools; what doesn't is bound on its own.
        let own = Chain::storages(parts, r).into_iter().filter(|&s| r.info(s).role != Role::Result).count();
        parts.len() <= MOST_LINKS && own < MOST_MEMORIES - 2
    }

    /// The chain of these operations in this order, once their tensors have their places, if few enough memories hold them.
    pub fn placed(parts: Vec<Rc<dyn Op>>, r: &Recorder) -> Option<Self> {
        let memories = Chain::storages(&parts, r);
        if memories.len() > MOST_MEMORIES {
            return None;
        }
        let more = parts.iter().any(|op| is_own(op) || op.link().is_some_and(|link| link.clock().is_some()));
        let Shader { name, source } =
            if more { shader!("chain", "total", "random", "functions") } else { shader!("chain", "total") };
        // A text suits as many threads as it is written for, or more: so that for the fewest serves both kinds of software adapter.
        let shaders = [Adapter::SoftwareQuads, Adapter::Hardware]
            .map(|adapter| Shader { name, source: writer::shader(&source, &parts, r, &memories, adapter).into() });
        let images = parts.first()?.link()?.images;
        let (links, parts) = (parts.len() as u32, parts.iter().flat_map(super::parts).collect());
        Some(Chain { links, parts, images, memories, shaders })
    }
}

impl Op for Chain {
    fn name(&self) -> &'static str {
        "chain"
    }

    fn reads(&self) -> Vec<Tensor> {
        Vec::new()
    }

    fn writes(&self) -> Vec<Tensor> {
        self.memories.clone()
    }

    fn differentiable(&self) -> bool {
        false
    }

    fn run(&self, _x: &[&[f32]], _y: &mut [&mut [f32]], _scratch: &mut [f32]) {
        unreachable!("a CPU runs a chain's parts")
    }

    fn parts(&self) -> Option<&[Rc<dyn Op>]> {
        Some(&self.parts)
    }

    fn kernel(&self, adapter: Adapter) -> Kernel {
        Kernel {
            shader: self.shaders[usize::from(!adapter.is_software())].clone(),
            entry: "run",
            constants: vec![("THREADS", threads(adapter) as f64)],
            params: Params { links: self.links, epsilon: EPSILON }.bytes(),
            workgroups: [self.images as u32, 1, 1],
        }
    }
}

#[cfg(test)]
pub(super) fn layout() -> (&'static str, super::check::Layout) {
    ("chain", Params::layout())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::program::DType;

    #[test]
    fn what_is_written_for_each_adapter_is_valid() {
        for scene in scenes() {
            for op in scene.recording.programs[0].ops.iter().filter(|op| op.name() == "chain") {
                for adapter in [Adapter::Hardware, Adapter::Software] {
                    let source = op.kernel(adapter).shader.source;
                    let module = naga::front::wgsl::parse_str(&source)
                        .unwrap_or_else(|e| panic!("{}: {}", scene.name, e.emit_to_string(&source)));
                    let (flags, capabilities) = Default::default();
                    let valid = naga::valid::Validator::new(flags, capabilities).validate(&module);
                    valid.unwrap_or_else(|e| panic!("{}: {e:?}", scene.name));
                }
            }
        }
    }

    /// The chains of two convolutions of one image each, of these channels and this size.
    fn chains(channels: [usize; 3], extent: usize, groups: Option<usize>) -> usize {
        let mut r = Recorder::new();
        r.begin("layers");
        let x = r.input("x", [2, extent, extent, channels[0]], DType::F32);
        let w = [0, 1].map(|i| r.input("w", [3, 3, channels[i], channels[i + 1]], DType::F32));
        let y = r.conv(x, w[0], 1, 1).unwrap();
        let y = match groups {
            Some(groups) => r.normalize(y, super::super::normalize::Grouping { groups, columns: channels[1] }).unwrap(),
            None => y,
        };
        let y = r.conv(y, w[1], 1, 1).unwrap();
        let recording = r.finish(true, &[y]);
        recording.programs[0].ops.iter().filter(|op| op.name() == "chain").count()
    }

    #[test]
    fn what_is_much_for_one_workgroup_keeps_its_dispatch() {
        assert_eq!(chains([4, 8, 4], 6, None), 1);
        assert_eq!(chains([4, 6, 4], 6, None), 1, "channels that are no fours");
        assert_eq!(chains([4, 96, 4], 28, None), 0, "2.7 million multiplications");
        assert_eq!(chains([4, 8, 4], 6, Some(1)), 2, "statistics of the batch: half of them each");
        assert_eq!(chains([4, 96, 4], 28, Some(1)), 0, "no halves come without chains for them");
    }

    #[test]
    fn a_chain_that_would_bind_too_much_is_cut() {
        let links = |kept: usize| {
            let mut r = Recorder::new();
            r.begin("layers");
            let mut all = vec![r.input("x", [2, 5, 5, 4], DType::F32)];
            for i in 0..4 {
                let w = r.input("w", [3, 3, 4, 4], DType::F32);
                all.push(r.conv(all[i], w, 1, 1).unwrap());
            }
            let recording = r.finish(true, &all[5 - kept..]);
            recording.programs[0].ops.iter().map(|op| op.parts().map_or(1, <[_]>::len)).collect::<Vec<_>>()
        };
        assert_eq!(links(1), [4]);
        // Four weights, the images, and four results, none of which shares a memory, are one memory too many.
        assert_eq!(links(4), [2, 2]);
    }

    #[test]
    fn weights_that_its_images_write_are_no_links() {
        let mut r = Recorder::new();
        r.begin("layers");
        let x = r.input("x", [4, 4, 4, 4], DType::F32);
        let w = r.input("w", [3, 3, 4, 4], DType::F32);
        let y = r.conv(x, w, 1, 1).unwrap();
        let z = r.conv(y, y, 4, 3).unwrap();
        let recording = r.finish(true, &[z]);
        assert!(recording.programs[0].ops.iter().all(|op| op.name() == "conv"));
    }
}
