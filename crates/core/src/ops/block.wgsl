// Comes after functions.wgsl.
//
// Runs instructions one after another in one workgroup: loops over strided tensors, a thread a value.
//
//   y[index] = f(scale * (sum over terms of a[index, term] (+ - * /) b[index, term]) + shift + bias)
//
// Memories are words, bound whole; an operand is a memory, an address in it, and strides. Memory 15 stands for a
// literal, whose value is the address. A barrier comes before an instruction that asks for it.

struct Params {
    count: vec4u, // instructions, then spare
    code: array<vec4u, 960>, // ten rows an instruction, see ROW_*
}

// [what to do, values, terms, terms along the inner axis]
const ROW_LOOP = 0u;
const ROW_EXTENTS = 1u;
// of y, a, b, c: which memory, and where in it
const ROW_MEMORY = 2u;
const ROW_ADDRESS = 3u;
// along the four axes
const ROW_STRIDES_Y = 4u;
const ROW_STRIDES_A = 5u;
const ROW_STRIDES_B = 6u;
const ROW_STRIDES_C = 7u;
// along the terms' two axes: a, a, b, b
const ROW_INNER = 8u;
// [combine | function << 4 | what c is for << 8 | wait << 12, scale or offset, shift or limit, leak]
const ROW_HOW = 9u;
const ROWS = 10u;

const COMPUTE = 0u;
const COPY = 1u;
const TICK = 2u;

const BIAS = 1u;
const GATE = 2u;
const PICK = 3u;
const PLACE = 4u;

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read_write> m0: array<u32>;
@group(0) @binding(2) var<storage, read_write> m1: array<u32>;
@group(0) @binding(3) var<storage, read_write> m2: array<u32>;
@group(0) @binding(4) var<storage, read_write> m3: array<u32>;
@group(0) @binding(5) var<storage, read_write> m4: array<u32>;
@group(0) @binding(6) var<storage, read_write> m5: array<u32>;
@group(0) @binding(7) var<storage, read_write> m6: array<u32>;
@group(0) @binding(8) var<storage, read_write> m7: array<u32>;

fn load(memory: u32, at: u32) -> u32 {
    switch memory {
        case 0u: { return m0[at]; }
        case 1u: { return m1[at]; }
        case 2u: { return m2[at]; }
        case 3u: { return m3[at]; }
        case 4u: { return m4[at]; }
        case 5u: { return m5[at]; }
        case 6u: { return m6[at]; }
        case 7u: { return m7[at]; }
        default: { return at; }
    }
}

fn store(memory: u32, at: u32, word: u32) {
    switch memory {
        case 0u: { m0[at] = word; }
        case 1u: { m1[at] = word; }
        case 2u: { m2[at] = word; }
        case 3u: { m3[at] = word; }
        case 4u: { m4[at] = word; }
        case 5u: { m5[at] = word; }
        case 6u: { m6[at] = word; }
        default: { m7[at] = word; }
    }
}

fn combine(how: u32, a: f32, b: f32) -> f32 {
    switch how & 15u {
        case 1u: { return a + b; }
        case 2u: { return a - b; }
        case 3u: { return a * b; }
        case 4u: { return a / b; }
        default: { return a; }
    }
}

fn dot4(a: vec4u, b: vec4u) -> u32 {
    return a.x * b.x + a.y * b.y + a.z * b.z + a.w * b.w;
}

// The value that an instruction computes for `index`.
fn compute(row: u32, index: vec4u) -> f32 {
    let loops = params.code[row + ROW_LOOP];
    let memory = params.code[row + ROW_MEMORY];
    let address = params.code[row + ROW_ADDRESS];
    let inner = params.code[row + ROW_INNER];
    let how = params.code[row + ROW_HOW];
    let beside = (how.x >> 8u) & 15u;
    let function = (how.x >> 4u) & 15u;
    let leak = bitcast<f32>(how.w);

    // Literals have strides too, but stay where they are.
    var at_a = address.y;
    var at_b = address.z;
    var step_a = inner.xy;
    var step_b = inner.zw;
    if (memory.y == 15u) {
        step_a = vec2u();
    } else {
        at_a += dot4(index, params.code[row + ROW_STRIDES_A]);
    }
    if (memory.z == 15u) {
        step_b = vec2u();
    } else {
        at_b += dot4(index, params.code[row + ROW_STRIDES_B]);
    }
    var c = 0u;
    if (beside != 0u) {
        c = load(memory.w, address.w + dot4(index, params.code[row + ROW_STRIDES_C]));
    }
    if (beside == PICK) {
        if (c >= how.z) {
            return 0.0;
        }
        return bitcast<f32>(load(memory.y, at_a + how.y + c));
    }
    if (beside == PLACE) {
        return select(0.0, bitcast<f32>(load(memory.y, at_a)), c < how.z && index.w == how.y + c);
    }

    var sum = 0.0;
    for (var t = 0u; t < loops.z; t++) {
        let term = vec2u(t / loops.w, t % loops.w);
        let a = bitcast<f32>(load(memory.y, at_a + term.x * step_a.x + term.y * step_a.y));
        let b = bitcast<f32>(load(memory.z, at_b + term.x * step_b.x + term.y * step_b.y));
        sum += combine(how.x, a, b);
    }
    var x = bitcast<f32>(how.y) * sum + bitcast<f32>(how.z);
    if (beside == GATE) {
        return x * slope_of(function, bitcast<f32>(c), leak);
    }
    if (beside == BIAS) {
        x += bitcast<f32>(c);
    }
    return function_of(function, x, leak);
}

@compute @workgroup_size(256)
fn interpret(@builtin(local_invocation_index) thread: u32) {
    for (var i = 0u; i < params.count.x; i++) {
        let row = i * ROWS;
        let loops = params.code[row + ROW_LOOP];
        let extents = params.code[row + ROW_EXTENTS];
        let memory = params.code[row + ROW_MEMORY];
        let address = params.code[row + ROW_ADDRESS];
        let strides = params.code[row + ROW_STRIDES_Y];
        if ((params.code[row + ROW_HOW].x >> 12u) == 1u) {
            storageBarrier();
        }
        for (var n = thread; n < loops.y; n += 256u) {
            let n2 = n / extents.w;
            let n1 = n2 / extents.z;
            let index = vec4u(n1 / extents.y, n1 % extents.y, n2 % extents.z, n % extents.w);
            let at = address.x + dot4(index, strides);
            if (loops.x == COMPUTE) {
                store(memory.x, at, bitcast<u32>(compute(row, index)));
            } else if (loops.x == COPY) {
                let skip = select(dot4(index, params.code[row + ROW_STRIDES_A]), 0u, memory.y == 15u);
                store(memory.x, at, load(memory.y, address.y + skip));
            } else if (loops.x == TICK) {
                store(memory.x, at, load(memory.x, at) + 1u);
            } else {
                let count = load(memory.w, address.w);
                let line = (count - 1u) % params.code[row + ROW_HOW].y;
                store(memory.x, address.x + line * params.code[row + ROW_HOW].z, load(memory.y, address.y));
            }
        }
    }
}
