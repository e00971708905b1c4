// Comes after optimizers.wgsl.
//
// All weights and biases of a network follow their gradients: each gradient is a product, and the optimiser is its
// epilogue, so no gradient is ever stored.
//
//   dW[place, o] = sum over pixels of X[pixel at place] * dY[pixel, o]      (for a bias, X is 1)
//
// update.rs binds the memories that hold X and dY, and repeats the job for each tensor with its constants and memories
// filled in. Within a job it repeats a line that names ROW or NTH for all fours of places and all channels of a thread's
// tile, and leaves out what the job doesn't need. What stands here between the marks is a sample.
//
// The channels of a tile lie four apart, so that four threads side by side read and write neighbouring values. SPLIT
// threads may share a tile, each summing its own stretch of pixels; the first of them adds the parts in order, so the
// result never depends on timing.

struct Params {
    optimizer_lane: u32, // of the clock
    dial: u32, // the one that holds the rate
    decay1: f32, // Adam's first moment, or the momentum
    decay2: f32, // Adam's second moment
    ln_decay1: f32,
    ln_decay2: f32,
    epsilon: f32,
    weight: u32, // where the weights start in `state`,
    first: u32, // the first moments, or velocities,
    second: u32, // and the second moments
    average: u32, // where the averages start in `averages`
    average_lane: u32,
    average_decay: f32,
}

override OPTIMIZER: u32 = 0u; // 0 Adam, 1 gradient descent with momentum

@group(0) @binding(0) var<uniform> params: Params;
//<bindings>
@group(0) @binding(1) var<storage, read> m0: array<f32>;
@group(0) @binding(2) var<storage, read> m1: array<f32>;
@group(0) @binding(3) var<storage, read> clock: array<u32>;
@group(0) @binding(4) var<storage, read> dials: array<f32>;
@group(0) @binding(5) var<storage, read_write> state: array<f32>;
@group(0) @binding(6) var<storage, read_write> averages: array<f32>;
//</bindings>

override THREADS: u32 = 64u;

//<partial>
// What the threads that share a tile have summed.
var<workgroup> partial: array<vec4f, 256>;
//</partial>

// What every weight's step has in common: the learning rate, for Adam over the first moment's correction, the square
// root of the second moment's, and how far averages move.
var<private> rate: f32;
var<private> root: f32;
var<private> step: f32;

fn prepare() {
    rate = dials[params.dial];
    if (OPTIMIZER == 0u) {
        let t = f32(clock[params.optimizer_lane]);
        rate /= one_minus_exp(t * params.ln_decay1);
        root = sqrt(one_minus_exp(t * params.ln_decay2));
    }
    //<follow>
    step = following(f32(clock[params.average_lane]), params.average_decay);
    //</follow>
}

// The i-th weight of the network follows its gradient.
fn learn(i: u32, gradient: f32) {
    let w = params.weight + i;
    let first = params.first + i;
    var weight = state[w];
    if (OPTIMIZER == 0u) {
        let second = params.second + i;
        let decays = vec2f(params.decay1, params.decay2);
        let next = adam(vec3f(weight, state[first], state[second]), gradient, decays, rate, root, params.epsilon);
        weight = next.x;
        state[first] = next.y;
        state[second] = next.z;
    } else {
        let next = momentum(vec2f(weight, state[first]), gradient, params.decay1, rate);
        weight = next.x;
        state[first] = next.y;
    }
    state[w] = weight;
    //<follow>
    let a = params.average + i;
    averages[a] += step * (weight - averages[a]);
    //</follow>
}

// A channel's weights for four places, of which the first `count` exist, if the channel does.
fn learn_column(at: u32, exists: bool, gradients: vec4f, columns: u32, count: i32) {
    if (!exists || count < 1i) {
        return;
    }
    learn(at, gradients.x);
    if (count > 1i) {
        learn(at + columns, gradients.y);
    }
    if (count > 2i) {
        learn(at + 2u * columns, gradients.z);
    }
    if (count > 3i) {
        learn(at + 3u * columns, gradients.w);
    }
}

//<sample>
const JOB_AT = 0u; // where its first value lies among the network's
const JOB_X_AT = 0u;
const JOB_DY_AT = 0u;
const JOB_SPLIT = 4u;
const JOB_DEEP = 1u; // fours of places in a tile,
const JOB_ROW = 0u;
const JOB_WIDE = 1u; // and channels
const JOB_NTH = 0u;
const JOB_FITS_PLACES = true; // whether tiles cover the places without a rest,
const JOB_FITS_CHANNELS = false; // and the channels
const JOB_PLACES = 16u; // KH * KW * I
const JOB_PIXELS = 98u; // B * OH * OW
const JOB_HEIGHT = 28i;
const JOB_WIDTH = 28i;
const JOB_CHANNELS = 1u;
const JOB_OUT_HEIGHT = 14u;
const JOB_OUT_WIDTH = 14u;
const JOB_OUT_CHANNELS = 8u;
const JOB_KERNEL_WIDTH = 4u;
const JOB_STRIDE = 2u;
const JOB_PAD = 1i;
@group(0) @binding(7) var<storage, read> JOB_X: array<f32>; // one of the memories above,
@group(0) @binding(8) var<storage, read> JOB_DY: array<f32>; // and one of them
//</sample>

//<job>
fn JOB_RUN(group: u32, thread: u32) {
    let beside = THREADS / JOB_SPLIT;
    let part = thread / beside;
    let tile = (group * beside + thread % beside) / 4u;
    const ACROSS = (JOB_OUT_CHANNELS + 4u * JOB_WIDE - 1u) / (4u * JOB_WIDE);
    let row = tile / ACROSS * 4u * JOB_DEEP;
    let column = tile % ACROSS * 4u * JOB_WIDE + thread % 4u;
    // Past the last channel the last one is read again, and not written.
    let slope_JOB_NTH = JOB_DY_AT + min(column + 4u * JOB_NTH, JOB_OUT_CHANNELS - 1u);

    const STRETCH = (JOB_PIXELS + JOB_SPLIT - 1u) / JOB_SPLIT;
    let last = min((part + 1u) * STRETCH, JOB_PIXELS);
    var l = part * STRETCH;

    var sum_JOB_ROW_JOB_NTH = vec4f();
    //<bias>
    for (; l < last; l++) {
        sum_JOB_ROW_JOB_NTH.x += JOB_DY[slope_JOB_NTH + l * JOB_OUT_CHANNELS];
    }
    //</bias>
    //<dense>
    let place_JOB_ROW = JOB_X_AT + min(row + 4u * JOB_ROW + vec4u(0u, 1u, 2u, 3u), vec4u(JOB_PLACES - 1u));
    for (; l < last; l++) {
        let x_JOB_ROW = l * JOB_PLACES + place_JOB_ROW;
        let values_JOB_ROW = vec4f(JOB_X[x_JOB_ROW.x], JOB_X[x_JOB_ROW.y], JOB_X[x_JOB_ROW.z], JOB_X[x_JOB_ROW.w]);
        let dy_JOB_NTH = JOB_DY[slope_JOB_NTH + l * JOB_OUT_CHANNELS];
        sum_JOB_ROW_JOB_NTH += values_JOB_ROW * dy_JOB_NTH;
    }
    //</dense>
    //<windows>
    // Fours of places in the window, less the padding.
    let at_JOB_ROW = min(row + 4u * JOB_ROW + vec4u(0u, 1u, 2u, 3u), vec4u(JOB_PLACES - 1u));
    let channel_JOB_ROW = JOB_X_AT + at_JOB_ROW % JOB_CHANNELS;
    let down_JOB_ROW = vec4i(at_JOB_ROW / JOB_CHANNELS / JOB_KERNEL_WIDTH) - JOB_PAD;
    let right_JOB_ROW = vec4i(at_JOB_ROW / JOB_CHANNELS % JOB_KERNEL_WIDTH) - JOB_PAD;
    while (l < last) {
        // What is left of one line of dY, unless the stretch starts or ends in it.
        let line = l / JOB_OUT_WIDTH;
        let start = l % JOB_OUT_WIDTH;
        let count = min(JOB_OUT_WIDTH - start, last - l);
        let top = i32(line % JOB_OUT_HEIGHT * JOB_STRIDE);
        let image = i32(line / JOB_OUT_HEIGHT) * JOB_HEIGHT;
        let iy_JOB_ROW = down_JOB_ROW + top;
        let inside_JOB_ROW = (iy_JOB_ROW >= vec4i()) & (iy_JOB_ROW < vec4i(JOB_HEIGHT));
        let line_JOB_ROW = (image + clamp(iy_JOB_ROW, vec4i(), vec4i(JOB_HEIGHT - 1i))) * JOB_WIDTH;
        var ix_JOB_ROW = right_JOB_ROW + i32(start * JOB_STRIDE);
        var slopes = l * JOB_OUT_CHANNELS;
        for (var i = 0u; i < count; i++) {
            let within_JOB_ROW = inside_JOB_ROW & (ix_JOB_ROW >= vec4i()) & (ix_JOB_ROW < vec4i(JOB_WIDTH));
            let near_JOB_ROW = clamp(ix_JOB_ROW, vec4i(), vec4i(JOB_WIDTH - 1i));
            let x_JOB_ROW = vec4u(line_JOB_ROW + near_JOB_ROW) * JOB_CHANNELS + channel_JOB_ROW;
            let found_JOB_ROW = vec4f(JOB_X[x_JOB_ROW.x], JOB_X[x_JOB_ROW.y], JOB_X[x_JOB_ROW.z], JOB_X[x_JOB_ROW.w]);
            let values_JOB_ROW = select(vec4f(), found_JOB_ROW, within_JOB_ROW);
            let dy_JOB_NTH = JOB_DY[slope_JOB_NTH + slopes];
            sum_JOB_ROW_JOB_NTH += values_JOB_ROW * dy_JOB_NTH;
            ix_JOB_ROW += i32(JOB_STRIDE);
            slopes += JOB_OUT_CHANNELS;
        }
        l += count;
    }
    //</windows>

    //<split>
    partial[(thread * JOB_DEEP + JOB_ROW) * JOB_WIDE + JOB_NTH] = sum_JOB_ROW_JOB_NTH;
    workgroupBarrier();
    if (part > 0u) {
        return;
    }
    for (var s = 1u; s < JOB_SPLIT; s++) {
        let other = (s * beside + thread) * JOB_DEEP;
        sum_JOB_ROW_JOB_NTH += partial[(other + JOB_ROW) * JOB_WIDE + JOB_NTH];
    }
    //</split>
    // The last workgroup may have more threads than tiles are left.
    if (row >= JOB_PLACES) {
        return;
    }
    prepare();
    let at = JOB_AT + row * JOB_OUT_CHANNELS + column;
    let places = select(JOB_PLACES - row, 4u * JOB_DEEP, JOB_FITS_PLACES);
    let channels = select(i32(JOB_OUT_CHANNELS) - i32(column), 64i, JOB_FITS_CHANNELS);
    learn_column(at + 4u * (JOB_ROW * JOB_OUT_CHANNELS + JOB_NTH), channels > i32(4u * JOB_NTH), sum_JOB_ROW_JOB_NTH, JOB_OUT_CHANNELS, i32(places) - i32(4u * JOB_ROW));
}
//</job>

@compute @workgroup_size(THREADS)
fn update(
    @builtin(workgroup_id) id: vec3u,
    @builtin(num_workgroups) groups: vec3u,
    @builtin(local_invocation_index) thread: u32,
) {
    let group = id.y * groups.x + id.x;
    //<jobs>
    JOB_RUN(group, thread);
    //</jobs>
}
