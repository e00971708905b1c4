// Comes after optimizers.wgsl.
//
// All weights and biases of a network follow their gradients: each gradient is a product, and the optimiser is its
// epilogue, so no gradient is ever stored.
//
//   dW[place, o] = sum over pixels of X[pixel at place] * dY[pixel, o]      (for a bias, X is 1)
//
// update.rs repeats the part between the marks for each tensor, with its constants and its memories filled in; what
// stands here is a sample. A job's tiles are 4 places x 4 channels, one thread's or shared by SPLIT threads that each
// sum their own stretch of pixels; the first of them adds the parts in order, so the result never depends on timing.

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
override FOLLOW: bool = false; // whether averages follow the weights

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> m0: array<f32>;
@group(0) @binding(2) var<storage, read> m1: array<f32>;
@group(0) @binding(3) var<storage, read> m2: array<f32>;
@group(0) @binding(4) var<storage, read> m3: array<f32>;
@group(0) @binding(5) var<storage, read> clock: array<u32>;
@group(0) @binding(6) var<storage, read> dials: array<f32>;
@group(0) @binding(7) var<storage, read_write> state: array<f32>;
@group(0) @binding(8) var<storage, read_write> averages: array<f32>;

// The partial tiles of the threads that share one: [SPLIT, tiles side by side, 4 rows].
var<workgroup> partial: array<vec4f, 256>;

// The i-th weight of the network follows its gradient.
fn learn(i: u32, gradient: f32) {
    let w = params.weight + i;
    let first = params.first + i;
    let rate = dials[params.dial];
    var weight = state[w];
    if (OPTIMIZER == 0u) {
        let second = params.second + i;
        let t = f32(clock[params.optimizer_lane]);
        let corrected = rate / one_minus_exp(t * params.ln_decay1);
        let root = sqrt(one_minus_exp(t * params.ln_decay2));
        let decays = vec2f(params.decay1, params.decay2);
        let next = adam(vec3f(weight, state[first], state[second]), gradient, decays, corrected, root, params.epsilon);
        weight = next.x;
        state[first] = next.y;
        state[second] = next.z;
    } else {
        let next = momentum(vec2f(weight, state[first]), gradient, params.decay1, rate);
        weight = next.x;
        state[first] = next.y;
    }
    state[w] = weight;
    if (FOLLOW) {
        let a = params.average + i;
        let step = following(f32(clock[params.average_lane]), params.average_decay);
        averages[a] += step * (weight - averages[a]);
    }
}

//<sample>
const JOB_AT = 0u; // where its first value lies among the network's
const JOB_X_AT = 0u;
const JOB_DY_AT = 0u;
const JOB_SPLIT = 4u;
const JOB_BIAS = false;
const JOB_PADDED = true; // whether a window may reach past the image
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
@group(0) @binding(9) var<storage, read> JOB_X: array<f32>; // one of the memories above,
@group(0) @binding(10) var<storage, read> JOB_DY: array<f32>; // and one of them
//</sample>

//<job>
fn JOB_RUN(group: u32, thread: u32) {
    const BESIDE = 64u / JOB_SPLIT;
    const ACROSS = (JOB_OUT_CHANNELS + 3u) / 4u;
    let tile = group * BESIDE + thread % BESIDE;
    let part = thread / BESIDE;
    let row = tile / ACROSS * 4u;
    let column = tile % ACROSS * 4u;
    let columns = JOB_DY_AT + min(column + vec4u(0u, 1u, 2u, 3u), vec4u(JOB_OUT_CHANNELS - 1u));

    const STRETCH = (JOB_PIXELS + JOB_SPLIT - 1u) / JOB_SPLIT;
    let last = min((part + 1u) * STRETCH, JOB_PIXELS);
    var l = part * STRETCH;

    var sum0 = vec4f();
    var sum1 = vec4f();
    var sum2 = vec4f();
    var sum3 = vec4f();
    if (JOB_BIAS) {
        for (; l < last; l++) {
            let first = l * JOB_OUT_CHANNELS;
            let at = first + columns;
            sum0 += vec4f(JOB_DY[at.x], JOB_DY[at.y], JOB_DY[at.z], JOB_DY[at.w]);
        }
    } else {
        // The four places in the window, less the padding.
        let place = min(row + vec4u(0u, 1u, 2u, 3u), vec4u(JOB_PLACES - 1u));
        let channel = JOB_X_AT + place % JOB_CHANNELS;
        let down = vec4i(place / JOB_CHANNELS / JOB_KERNEL_WIDTH) - JOB_PAD;
        let right = vec4i(place / JOB_CHANNELS % JOB_KERNEL_WIDTH) - JOB_PAD;
        while (l < last) {
            // What is left of one line of dY, unless the stretch starts or ends in it.
            let line = l / JOB_OUT_WIDTH;
            let start = l % JOB_OUT_WIDTH;
            let count = min(JOB_OUT_WIDTH - start, last - l);
            let iy = down + i32(line % JOB_OUT_HEIGHT * JOB_STRIDE);
            let inside_y = (iy >= vec4i()) & (iy < vec4i(JOB_HEIGHT));
            let nearest_y = clamp(iy, vec4i(), vec4i(JOB_HEIGHT - 1i));
            let at_line = (i32(line / JOB_OUT_HEIGHT) * JOB_HEIGHT + nearest_y) * JOB_WIDTH;
            var ix = right + i32(start * JOB_STRIDE);
            var slopes_at = l * JOB_OUT_CHANNELS + columns;
            for (var i = 0u; i < count; i++) {
                var values: vec4f;
                if (JOB_PADDED) {
                    let inside = inside_y & (ix >= vec4i()) & (ix < vec4i(JOB_WIDTH));
                    let at = vec4u(at_line + clamp(ix, vec4i(), vec4i(JOB_WIDTH - 1i))) * JOB_CHANNELS + channel;
                    values = select(vec4f(), vec4f(JOB_X[at.x], JOB_X[at.y], JOB_X[at.z], JOB_X[at.w]), inside);
                } else {
                    let at = vec4u(at_line + ix) * JOB_CHANNELS + channel;
                    values = vec4f(JOB_X[at.x], JOB_X[at.y], JOB_X[at.z], JOB_X[at.w]);
                }
                let slopes = vec4f(JOB_DY[slopes_at.x], JOB_DY[slopes_at.y], JOB_DY[slopes_at.z], JOB_DY[slopes_at.w]);
                sum0 += values.x * slopes;
                sum1 += values.y * slopes;
                sum2 += values.z * slopes;
                sum3 += values.w * slopes;
                ix += i32(JOB_STRIDE);
                slopes_at += JOB_OUT_CHANNELS;
            }
            l += count;
        }
    }

    if (JOB_SPLIT > 1u) {
        let mine = thread * 4u;
        partial[mine] = sum0;
        partial[mine + 1u] = sum1;
        partial[mine + 2u] = sum2;
        partial[mine + 3u] = sum3;
        workgroupBarrier();
        if (part > 0u) {
            return;
        }
        for (var s = 1u; s < JOB_SPLIT; s++) {
            let other = (s * BESIDE + thread) * 4u;
            sum0 += partial[other];
            sum1 += partial[other + 1u];
            sum2 += partial[other + 2u];
            sum3 += partial[other + 3u];
        }
    }
    let sums = array<vec4f, 4>(sum0, sum1, sum2, sum3);
    for (var i = 0u; i < 4u && row + i < JOB_PLACES; i++) {
        for (var j = 0u; j < 4u && column + j < JOB_OUT_CHANNELS; j++) {
            learn(JOB_AT + (row + i) * JOB_OUT_CHANNELS + column + j, sums[i][j]);
        }
    }
}
//</job>

@compute @workgroup_size(64)
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
