// Comes after total.wgsl and random.wgsl and functions.wgsl.
//
// Several layers in one dispatch: each workgroup takes its own image through all of them, with barriers between. Images don't
// know of each other, so nobody waits for the others.
//
// chain/writer.rs binds the memories that the layers touch, and writes a function for each of them from the files in chain/: what
// stands here between the marks is a sample. Channels are fours, and places count fours; but an image of one channel is read and written by single values, and where
// channels are neither, all is: each value in a vector of its own, and places count values.

struct Params {
    links: u32, // layers; for whoever looks at the buffer
    epsilon: f32, // keeps a norm of equal values finite
}

@group(0) @binding(0) var<uniform> params: Params;

// For each memory one of these.
//<fours>
@group(0) @binding(1) var<storage, read_write> memory_NTH: array<vec4f>;
fn four_NTH(at: u32) -> vec4f { return memory_NTH[at]; }
fn single_NTH(at: u32) -> f32 { return memory_NTH[at / 4u][at % 4u]; }
fn put_four_NTH(at: u32, y: vec4f) { memory_NTH[at] = y; }
//</fours>
//<singles>
// One with values that stand alone: two threads may not write one vector. As words, since some of them count.
@group(0) @binding(1) var<storage, read_write> memory_NTH: array<u32>;
fn four_NTH(at: u32) -> vec4f { return bitcast<vec4f>(vec4u(memory_NTH[4u * at], memory_NTH[4u * at + 1u], memory_NTH[4u * at + 2u], memory_NTH[4u * at + 3u])); }
fn single_NTH(at: u32) -> f32 { return bitcast<f32>(memory_NTH[at]); }
fn put_four_NTH(at: u32, y: vec4f) {
    let words = bitcast<vec4u>(y);
    memory_NTH[4u * at] = words.x;
    memory_NTH[4u * at + 1u] = words.y;
    memory_NTH[4u * at + 2u] = words.z;
    memory_NTH[4u * at + 3u] = words.w;
}
fn put_single_NTH(at: u32, y: vec4f) { memory_NTH[at] = bitcast<u32>(y.x); }
//</singles>

const LINK_ROW = 0u;
const LINK_NTH = 0u;
//<ends>
// For each layer: what the one before has left, the weights or what else it needs, and where its values go.
fn LINK_X(at: u32) -> vec4f { return four_NTH(at); }
fn LINK_W(at: u32) -> vec4f { return four_NTH(at); }
fn LINK_FROM(at: u32) -> vec4f { return four_NTH(at); } // one of both
fn LINK_M(at: u32) -> vec4f { return four_NTH(at); } // a batch's moments
fn LINK_CLOCK(at: u32) -> u32 { return at; }
fn LINK_PUT(value: vec4f, at: u32, column: u32) { put_four_NTH(at, finish(value, four_NTH(column), true, 1u, 0.2)); }
//</ends>

var<workgroup> fours: array<array<vec4f, 2>, THREADS>;

// The sums of both over the threads of one column, of so many side by side.
fn columns(one: vec4f, other: vec4f, thread: u32, wide: u32) -> array<vec4f, 2> {
    workgroupBarrier();
    fours[thread] = array(one, other);
    workgroupBarrier();
    // By halves of the rows, until each thread may as well add up what is left.
    var rows = THREADS / wide;
    while (rows > 8u) {
        let half = (rows + 1u) / 2u;
        if (thread < (rows - half) * wide) {
            let far = fours[thread + half * wide];
            fours[thread] = array(fours[thread][0] + far[0], fours[thread][1] + far[1]);
        }
        rows = half;
        workgroupBarrier();
    }
    var sums = array<vec4f, 2>();
    for (var i = thread % wide; i < rows * wide; i += wide) {
        sums[0] += fours[i][0];
        sums[1] += fours[i][1];
    }
    return sums;
}

// What becomes of values: a bias and an activation, by its code in functions.wgsl, or the slope of one whose output is `beside`.
fn finish(value: vec4f, beside: vec4f, gated: bool, activation: u32, leak: f32) -> vec4f {
    if (!gated) {
        let x = value + beside;
        switch activation {
            case 1u: { return select(leak * x, x, x > vec4f()); }
            case 2u: { return tanh(clamp(x, vec4f(-15.0), vec4f(15.0))); }
            case 3u: { return 1.0 / (1.0 + exp(-clamp(x, vec4f(-80.0), vec4f(80.0)))); }
            default: { return x; }
        }
    }
    switch activation {
        case 1u: { return value * select(vec4f(leak), vec4f(1.0), beside > vec4f()); }
        case 2u: { return value * (1.0 - beside * beside); }
        default: { return value * beside * (1.0 - beside); }
    }
}

@compute @workgroup_size(THREADS)
fn run(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) thread: u32) {
    //<links>
    LINK_PUT(LINK_X(thread), thread, group.x);
    storageBarrier();
    //</links>
}
