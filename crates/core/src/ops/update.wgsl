// Comes after optimizers.wgsl.
//
// All weights and biases of a network follow their gradients: each gradient is a product, and the optimiser is its
// epilogue, so no gradient is ever stored.
//
//   dW[place, o] = sum over pixels of X[pixel at place] * dY[pixel, o]      (for a bias, X is 1)
//
// update.rs binds the memories that hold X and dY, and repeats the job for each tensor with its constants and memories
// filled in. Within a job it repeats a line that names ROW or NTH for all fours of places and of channels in a thread's
// tile, and leaves out what the job doesn't need: of blocks and rows one, and one of bias, dense and windows. A thread's
// values learn in one loop *together* on software adapters, else each where it was summed, *apart*. Where nothing learns
// yet, gradients are stored instead. What stands here between the marks is a sample.
//
// A tile is fours of places by fours of channels. Where the channels are no multiple of four, it is four values in a row
// instead, whatever their places and channels. SPLIT threads may share a tile, each summing its own stretch of pixels;
// they add the parts pairwise, down to four of a block and those in order, so the result never depends on timing.

struct Params {
    optimizer_lane: u32, // of the clock
    dial: u32, // the one that holds the rate
    decay1: f32, // Adam's first moment, or the momentum
    decay2: f32, // Adam's second moment
    ln_decay1: f32,
    ln_decay2: f32,
    epsilon: f32,
    weight_decay: f32,
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
// For each memory one of these two.
//<vectors>
@group(0) @binding(1) var<storage, read> m_NTH: array<vec4f>;
fn m_NTH_one(at: u32) -> f32 { return m_NTH[at / 4u][at % 4u]; }
fn m_NTH_four(at: u32) -> vec4f { return m_NTH[at / 4u]; }
//</vectors>
//<values>
@group(0) @binding(1) var<storage, read> m_NTH: array<f32>;
fn m_NTH_one(at: u32) -> f32 { return m_NTH[at]; }
fn m_NTH_four(at: u32) -> vec4f { return vec4f(m_NTH[at], m_NTH[at + 1u], m_NTH[at + 2u], m_NTH[at + 3u]); }
//</values>
@group(0) @binding(3) var<storage, read> clock: array<u32>;
@group(0) @binding(4) var<storage, read> dials: array<f32>;
@group(0) @binding(5) var<storage, read_write> state: array<vec4f>;
@group(0) @binding(6) var<storage, read_write> averages: array<vec4f>;
//</bindings>

override THREADS: u32 = 128u;

//<partial>
// What the threads that share a tile have summed: a block, [4 rows, THREADS], or a row.
var<workgroup> partial: array<vec4f, 4u * THREADS>;
//</partial>

// What every weight's step has in common: the learning rate, for Adam over the first moment's correction, one
// over the square root of the second moment's, what weight decay leaves of a weight, and how far averages move.
var<private> rate: f32;
var<private> unbias: f32;
var<private> shrink: f32;
var<private> step: f32;

fn prepare() {
    //<learn>
    rate = dials[params.dial];
    if (OPTIMIZER == 0u) {
        let t = f32(clock[params.optimizer_lane]);
        shrink = 1.0 - rate * params.weight_decay;
        rate /= one_minus_exp(t * params.ln_decay1);
        unbias = 1.0 / sqrt(one_minus_exp(t * params.ln_decay2));
    }
    //<follow>
    step = following(f32(clock[params.average_lane]), params.average_decay);
    //</follow>
    //</learn>
}

// Four neighbouring weights follow their gradients; `i` counts fours among the network's weights.
fn learn(i: u32, gradient: vec4f) {
    let w = params.weight / 4u + i;
    //<store>
    state[w] = gradient;
    //</store>
    //<learn>
    let first = params.first / 4u + i;
    let second = params.second / 4u + i;
    var next = Learnt(state[w], state[first], vec4f());
    if (OPTIMIZER == 0u) {
        next.second = state[second];
        next = adam(next, gradient, vec2f(params.decay1, params.decay2), rate, unbias, shrink, params.epsilon);
        state[second] = next.second;
    } else {
        next = momentum(next, gradient, params.decay1, rate);
    }
    state[w] = next.weight;
    state[first] = next.first;
    //<follow>
    let a = params.average / 4u + i;
    averages[a] += step * (next.weight - averages[a]);
    //</follow>
    //</learn>
}

// Each of `rows` times `columns`, a row in each column.
fn outer(columns: vec4f, rows: vec4f) -> mat4x4f {
    return mat4x4f(rows.x * columns, rows.y * columns, rows.z * columns, rows.w * columns);
}

//<apart>
// The weights of four channels for four places, of which the first `count` exist, if the channels do; `at` and `columns`
// count fours.
fn learn_block(at: u32, exist: bool, gradients: mat4x4f, columns: u32, count: i32) {
    if (!exist || count < 1i) {
        return;
    }
    learn(at, gradients[0]);
    if (count > 1i) {
        learn(at + columns, gradients[1]);
    }
    if (count > 2i) {
        learn(at + 2u * columns, gradients[2]);
    }
    if (count > 3i) {
        learn(at + 3u * columns, gradients[3]);
    }
}
//</apart>

//<together>
// A thread's tile, once it is summed: its gradients row by row in fours, which of the network's fours it starts at, and
// how many of its rows and fours a row exist. A thread of a quad has its own half of the rows and of the fours first.
var<private> gradients: array<vec4f, MOST_FOURS>;
var<private> tile_at: u32;
var<private> tile_columns: u32; // fours from a row to the next
var<private> tile_wide: u32; // fours in a row of the tile
var<private> tile_rows: i32;
var<private> tile_fours: i32;
var<private> tile_swap: vec2u; // the bits of row and four that tell the halves, where they are swapped

// One loop for all jobs: a driver that compiles for the CPU makes a hundred instructions of each value's reads and writes.
// Written out for all tiles these are a megabyte, which takes seconds to compile and never fits into a cache.
fn learn_tile() {
    prepare();
    for (var row = 0i; row < tile_rows; row++) {
        for (var four = 0i; four < tile_fours; four++) {
            let place = vec2u(u32(row), u32(four)) ^ tile_swap;
            learn(tile_at + u32(row) * tile_columns + u32(four), gradients[place.x * tile_wide + place.y]);
        }
    }
}
//</together>

//<sample>
const MOST_FOURS = 16u;
alias JOB_WHOLE = vec4u; // one number where places come in fours
alias JOB_SIGNED = vec4i;
const JOB_ROW = 0u;
const JOB_NTH = 0u;
// From one of the memories above, and from one of them.
fn JOB_X_one(at: u32) -> f32 { return m_NTH_one(at); }
fn JOB_X_four(at: u32) -> vec4f { return m_NTH_four(at); }
fn JOB_DY_one(at: u32) -> f32 { return m_NTH_one(at); }
fn JOB_DY_four(at: u32) -> vec4f { return m_NTH_four(at); }
//</sample>

//<job>
fn JOB_RUN(group: u32, thread: u32) {
    //<constants>
    const AT = 0u; // where its first value lies among the network's
    const X_AT = 0u;
    const DY_AT = 0u;
    const SPLIT = 4u;
    const DEEP = 1u; // fours of places in a tile,
    const WIDE = 1u; // and fours of channels
    const FITS_PLACES = true; // whether tiles cover the places without a rest,
    const FITS_CHANNELS = true; // and the channels
    const PLACES = 16u; // KH * KW * I
    const PIXELS = 98u; // B * OH * OW
    const HEIGHT = 28i;
    const WIDTH = 28i;
    const CHANNELS = 1u;
    const OUT_HEIGHT = 14u;
    const OUT_WIDTH = 14u;
    const OUT_CHANNELS = 8u;
    const KERNEL_WIDTH = 4u;
    const STRIDE = 2u;
    const PAD = 1i;
    //</constants>
    let beside = THREADS / SPLIT;
    let part = thread / beside;
    let tile = group * beside + thread % beside;
    //<blocks>
    const ACROSS = (OUT_CHANNELS + 4u * WIDE - 1u) / (4u * WIDE);
    let row = tile / ACROSS * 4u * DEEP;
    let column = tile % ACROSS * 4u * WIDE;
    // Past the last place or channels the last ones are read again, and not written.
    //<aligned>
    let at_JOB_ROW = min(row + 4u * JOB_ROW, PLACES - 4u);
    //</aligned>
    //<scattered>
    let at_JOB_ROW = min(row + 4u * JOB_ROW + vec4u(0u, 1u, 2u, 3u), vec4u(PLACES - 1u));
    //</scattered>
    let slope_JOB_NTH = DY_AT + min(column + 4u * JOB_NTH, OUT_CHANNELS - 4u);
    var sum_JOB_ROW_JOB_NTH = mat4x4f();
    //</blocks>
    //<rows>
    let value = min(4u * tile + vec4u(0u, 1u, 2u, 3u), vec4u(PLACES * OUT_CHANNELS - 1u));
    let at_JOB_ROW = value / OUT_CHANNELS;
    let slope_JOB_NTH = DY_AT + value % OUT_CHANNELS;
    var sum_JOB_ROW_JOB_NTH = vec4f();
    //</rows>

    const STRETCH = (PIXELS + SPLIT - 1u) / SPLIT;
    let last = min((part + 1u) * STRETCH, PIXELS);
    var l = part * STRETCH;

    //<bias>
    let v_JOB_ROW = vec4f(1.0);
    for (; l < last; l++) {
        let d_JOB_NTH = slope_JOB_NTH + l * OUT_CHANNELS;
        //<blocks>
        let dy_JOB_NTH = JOB_DY_four(d_JOB_NTH);
        sum_JOB_ROW_JOB_NTH += outer(dy_JOB_NTH, v_JOB_ROW);
        //</blocks>
        //<rows>
        sum_JOB_ROW_JOB_NTH += vec4f(JOB_DY_one(d_JOB_NTH.x), JOB_DY_one(d_JOB_NTH.y), JOB_DY_one(d_JOB_NTH.z), JOB_DY_one(d_JOB_NTH.w)) * v_JOB_ROW;
        //</rows>
    }
    //</bias>
    //<dense>
    for (; l < last; l++) {
        let x_JOB_ROW = X_AT + l * PLACES + at_JOB_ROW;
        //<aligned>
        let v_JOB_ROW = JOB_X_four(x_JOB_ROW);
        //</aligned>
        //<scattered>
        let v_JOB_ROW = vec4f(JOB_X_one(x_JOB_ROW.x), JOB_X_one(x_JOB_ROW.y), JOB_X_one(x_JOB_ROW.z), JOB_X_one(x_JOB_ROW.w));
        //</scattered>
        let d_JOB_NTH = slope_JOB_NTH + l * OUT_CHANNELS;
        //<blocks>
        let dy_JOB_NTH = JOB_DY_four(d_JOB_NTH);
        sum_JOB_ROW_JOB_NTH += outer(dy_JOB_NTH, v_JOB_ROW);
        //</blocks>
        //<rows>
        sum_JOB_ROW_JOB_NTH += vec4f(JOB_DY_one(d_JOB_NTH.x), JOB_DY_one(d_JOB_NTH.y), JOB_DY_one(d_JOB_NTH.z), JOB_DY_one(d_JOB_NTH.w)) * v_JOB_ROW;
        //</rows>
    }
    //</dense>
    //<windows>
    // Where these places lie in the window, less the padding.
    let channel_JOB_ROW = X_AT + at_JOB_ROW % CHANNELS;
    let down_JOB_ROW = JOB_SIGNED(at_JOB_ROW / CHANNELS / KERNEL_WIDTH) - PAD;
    let right_JOB_ROW = JOB_SIGNED(at_JOB_ROW / CHANNELS % KERNEL_WIDTH) - PAD;
    while (l < last) {
        // What is left of one line of dY, unless the stretch starts or ends in it.
        let line = l / OUT_WIDTH;
        let start = l % OUT_WIDTH;
        let count = min(OUT_WIDTH - start, last - l);
        let top = i32(line % OUT_HEIGHT * STRIDE);
        let image = i32(line / OUT_HEIGHT) * HEIGHT;
        let iy_JOB_ROW = down_JOB_ROW + top;
        let inside_JOB_ROW = (iy_JOB_ROW >= JOB_SIGNED()) & (iy_JOB_ROW < JOB_SIGNED(HEIGHT));
        let line_JOB_ROW = (image + clamp(iy_JOB_ROW, JOB_SIGNED(), JOB_SIGNED(HEIGHT - 1i))) * WIDTH;
        var ix_JOB_ROW = right_JOB_ROW + i32(start * STRIDE);
        var slopes = l * OUT_CHANNELS;
        for (var i = 0u; i < count; i++) {
            let within_JOB_ROW = inside_JOB_ROW & (ix_JOB_ROW >= JOB_SIGNED()) & (ix_JOB_ROW < JOB_SIGNED(WIDTH));
            let near_JOB_ROW = clamp(ix_JOB_ROW, JOB_SIGNED(), JOB_SIGNED(WIDTH - 1i));
            let x_JOB_ROW = JOB_WHOLE(line_JOB_ROW + near_JOB_ROW) * CHANNELS + channel_JOB_ROW;
            //<aligned>
            let found_JOB_ROW = JOB_X_four(x_JOB_ROW);
            //</aligned>
            //<scattered>
            let found_JOB_ROW = vec4f(JOB_X_one(x_JOB_ROW.x), JOB_X_one(x_JOB_ROW.y), JOB_X_one(x_JOB_ROW.z), JOB_X_one(x_JOB_ROW.w));
            //</scattered>
            let v_JOB_ROW = select(vec4f(), found_JOB_ROW, within_JOB_ROW);
            let d_JOB_NTH = slope_JOB_NTH + slopes;
            //<blocks>
            let dy_JOB_NTH = JOB_DY_four(d_JOB_NTH);
            sum_JOB_ROW_JOB_NTH += outer(dy_JOB_NTH, v_JOB_ROW);
            //</blocks>
            //<rows>
            sum_JOB_ROW_JOB_NTH += vec4f(JOB_DY_one(d_JOB_NTH.x), JOB_DY_one(d_JOB_NTH.y), JOB_DY_one(d_JOB_NTH.z), JOB_DY_one(d_JOB_NTH.w)) * v_JOB_ROW;
            //</rows>
            ix_JOB_ROW += i32(STRIDE);
            slopes += OUT_CHANNELS;
        }
        l += count;
    }
    //</windows>

    //<split>
    //<blocks>
    partial[thread] = sum_JOB_ROW_JOB_NTH[0];
    partial[THREADS + thread] = sum_JOB_ROW_JOB_NTH[1];
    partial[2u * THREADS + thread] = sum_JOB_ROW_JOB_NTH[2];
    partial[3u * THREADS + thread] = sum_JOB_ROW_JOB_NTH[3];
    for (var others = SPLIT / 2u; others > 2u; others /= 2u) {
        workgroupBarrier();
        for (var r = 0u; part < others && r < 4u; r++) {
            partial[r * THREADS + thread] += partial[r * THREADS + others * beside + thread];
        }
    }
    workgroupBarrier();
    //</blocks>
    //<rows>
    partial[thread] = sum_JOB_ROW_JOB_NTH;
    for (var others = SPLIT / 2u; others > 0u; others /= 2u) {
        workgroupBarrier();
        if (part < others) {
            sum_JOB_ROW_JOB_NTH += partial[others * beside + thread];
            partial[thread] = sum_JOB_ROW_JOB_NTH;
        }
    }
    if (part > 0u) {
        return;
    }
    //</rows>
    //</split>
    // The last workgroup may have more threads than tiles are left.
    //<blocks>
    if (row >= PLACES) {
        return;
    }
    let at = (AT + row * OUT_CHANNELS + column) / 4u;
    let places = i32(PLACES) - i32(row);
    let channels = i32(OUT_CHANNELS) - i32(column);
    //<split>
    // Of what is left a thread has a row, or two.
    const LEFT = min(SPLIT, 4u);
    for (var r = part; part < LEFT && r < 4u; r += LEFT) {
        var gradient = partial[r * THREADS + thread % beside];
        for (var other = 1u; other < LEFT; other++) {
            gradient += partial[r * THREADS + other * beside + thread % beside];
        }
        if (channels > 0i && i32(r) < places) {
            learn(at + r * (OUT_CHANNELS / 4u), gradient);
        }
    }
    //</split>
    //<whole>
    learn_block(at + JOB_ROW * OUT_CHANNELS + JOB_NTH, FITS_CHANNELS || channels > i32(4u * JOB_NTH), sum_JOB_ROW_JOB_NTH, OUT_CHANNELS / 4u, select(places - i32(4u * JOB_ROW), 4i, FITS_PLACES));
    //</whole>
    //<together>
    tile_at = at;
    tile_columns = OUT_CHANNELS / 4u;
    tile_wide = WIDE;
    tile_rows = min(places, i32(4u * DEEP));
    tile_fours = min(channels / 4i, i32(WIDE));
    gradients[4u * JOB_ROW * WIDE + JOB_NTH] = sum_JOB_ROW_JOB_NTH[0];
    gradients[(4u * JOB_ROW + 1u) * WIDE + JOB_NTH] = sum_JOB_ROW_JOB_NTH[1];
    gradients[(4u * JOB_ROW + 2u) * WIDE + JOB_NTH] = sum_JOB_ROW_JOB_NTH[2];
    gradients[(4u * JOB_ROW + 3u) * WIDE + JOB_NTH] = sum_JOB_ROW_JOB_NTH[3];
    //</together>
    //</blocks>
    //<rows>
    if (4u * tile >= PLACES * OUT_CHANNELS) {
        return;
    }
    // Past the last value lies room that nothing reads, but for who sums up all that is stored.
    //<store>
    sum_JOB_ROW_JOB_NTH = select(vec4f(), sum_JOB_ROW_JOB_NTH, 4u * tile + vec4u(0u, 1u, 2u, 3u) < vec4u(PLACES * OUT_CHANNELS));
    //</store>
    //<apart>
    learn(AT / 4u + tile, sum_JOB_ROW_JOB_NTH);
    //</apart>
    //<together>
    tile_at = AT / 4u + tile;
    tile_rows = 1i;
    tile_fours = 1i;
    gradients[0] = sum_JOB_ROW_JOB_NTH;
    //</together>
    //</rows>
}
//</job>

@compute @workgroup_size(THREADS)
fn update(
    @builtin(workgroup_id) id: vec3u,
    @builtin(num_workgroups) groups: vec3u,
    @builtin(local_invocation_index) thread: u32,
) {
    let group = id.y * groups.x + id.x;
    //<apart>
    prepare();
    //</apart>
    //<jobs>
    JOB_RUN(group, thread);
    //</jobs>
    //<together>
    learn_tile();
    //</together>
}
