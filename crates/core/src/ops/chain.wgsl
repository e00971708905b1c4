// Comes after total.wgsl and random.wgsl and functions.wgsl.
//
// Several layers in one dispatch: each workgroup takes its own image through all of them, with barriers between. Images don't
// know of each other, so nobody waits for the others.
//
// chain.rs binds the memories that the layers touch, and writes a function for each of them: what stands here between the marks
// is a sample. Channels are fours, and places count fours; but an image of one channel is read and written by single values, and where
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

//<convolve>
//<weights_by_value>
// Weights of four of so many channels.
fn LINK_right(start: u32, step: u32, column: u32, channels: u32) -> vec4f {
    let at = start + step * min(4u * column + vec4u(0u, 1u, 2u, 3u), vec4u(channels - 1u));
    return vec4f(LINK_W(at.x), LINK_W(at.y), LINK_W(at.z), LINK_W(at.w));
}
//</weights_by_value>
//<put_by_value>
// Writes those that there are.
fn LINK_each(value: vec4f, pixel: u32, column: u32, channels: u32) {
    for (var channel = 4u * column; channel < min(4u * column + 4u, channels); channel++) {
        LINK_PUT(vec4f(value[channel % 4u]), pixel * channels + channel, channel);
    }
}
//</put_by_value>

// A convolution, or its transpose, from a source to a result. A transpose's pixels fall into PHASES down and as many across, by the
// places of the kernel that reach them: those of a tile are of one phase. Of lines that name ROW or NTH there is one for each four
// of pixels or of channels in a thread's tile. SPLIT threads may share a tile of one four each, if there are so many for all
// tiles: each sums its own stretch of terms, and then writes a row or two.
fn LINK_convolve(image: u32, thread: u32) {
    //<constants>
    const DEEP = 1u; // fours of pixels in a tile,
    const WIDE = 1u; // and fours of channels
    const HEIGHT = 7i; // of the source
    const WIDTH = 7i;
    const DEPTH = 4u; // its channels, in fours; or in single values
    const PIXELS_DOWN = 7u; // of the result, or of one of its phases
    const PIXELS_ACROSS = 7u;
    const CHANNELS = 2u; // the result's, in fours; or one
    const SINGLES = 8u; // and by value
    const TAPS_DOWN = 2u; // places of the kernel that reach a pixel
    const TAPS_ACROSS = 2u;
    const STRIDE = 1u; // pixels of the source from one of the result to the next
    const PHASES = 2u;
    const PAD = 1u;
    const SPLIT = 2u;
    //</constants>
    const PIXELS = PIXELS_DOWN * PIXELS_ACROSS;
    const DOWN = (PIXELS + 4u * DEEP - 1u) / (4u * DEEP);
    const ACROSS = CHANNELS / WIDE;
    const TILES = PHASES * PHASES * DOWN * ACROSS;
    const TERMS = TAPS_DOWN * TAPS_ACROSS * DEPTH;
    const STRETCH = (TERMS + SPLIT - 1u) / SPLIT;
    //<alone>
    const part = 0u;
    for (var tile = thread; tile < TILES; tile += THREADS) {
    //</alone>
    //<shared>
    let part = thread * SPLIT / THREADS;
    {
        let tile = min(thread % (THREADS / SPLIT), TILES - 1u);
    //</shared>
        let column = tile % ACROSS * WIDE;
        let row = tile / ACROSS % DOWN * 4u * DEEP;
        let phase = tile / (ACROSS * DOWN) / vec2u(PHASES, 1u) % PHASES;
        // The first place of the kernel that reaches it.
        let first = (phase + PAD) % PHASES;
        //<forward>
        let corner = vec2i(-i32(PAD));
        //</forward>
        //<transpose>
        let corner = vec2i((phase + PAD) / PHASES);
        //</transpose>
        // Past the last pixel that one is computed again, and not written.
        let pixel_LINK_ROW = min(row + 4u * LINK_ROW + vec4u(0u, 1u, 2u, 3u), vec4u(PIXELS - 1u));
        let y_LINK_ROW = pixel_LINK_ROW / PIXELS_ACROSS;
        let x_LINK_ROW = pixel_LINK_ROW % PIXELS_ACROSS;
        //<to_fours>
        var sum_LINK_ROW_LINK_NTH = mat4x4f();
        //</to_fours>
        //<to_one>
        var sum_LINK_ROW_LINK_NTH = vec4f();
        //</to_one>
        // One loop for places and channels: a driver that compiles for the CPU copies all sums at each start of a loop.
        var i = part * STRETCH % DEPTH;
        var tap = part * STRETCH / DEPTH / vec2u(TAPS_ACROSS, 1u) % vec2u(TAPS_DOWN, TAPS_ACROSS);
        for (var l = part * STRETCH; l < min((part + 1u) * STRETCH, TERMS); l++) {
            //<forward>
            let iy_LINK_ROW = vec4i(y_LINK_ROW * STRIDE) + (corner.x + i32(tap.x));
            let ix_LINK_ROW = vec4i(x_LINK_ROW * STRIDE) + (corner.y + i32(tap.y));
            //</forward>
            //<transpose>
            let iy_LINK_ROW = vec4i(y_LINK_ROW) + (corner.x - i32(tap.x));
            let ix_LINK_ROW = vec4i(x_LINK_ROW) + (corner.y - i32(tap.y));
            //</transpose>
            let on_LINK_ROW = (iy_LINK_ROW >= vec4i()) & (iy_LINK_ROW < vec4i(HEIGHT));
            let inside_LINK_ROW = on_LINK_ROW & (ix_LINK_ROW >= vec4i()) & (ix_LINK_ROW < vec4i(WIDTH));
            let line_LINK_ROW = i32(image) * HEIGHT + clamp(iy_LINK_ROW, vec4i(), vec4i(HEIGHT - 1i));
            let at_LINK_ROW = vec4u(line_LINK_ROW * WIDTH + clamp(ix_LINK_ROW, vec4i(), vec4i(WIDTH - 1i))) * DEPTH + i;
            let place = (first.x + tap.x * PHASES) * TAPS_ACROSS * PHASES + first.y + tap.y * PHASES;
            //<from_fours>
            // Four channels of four pixels, one pixel in each column.
            let left_LINK_ROW = mat4x4f(select(vec4f(), LINK_X(at_LINK_ROW.x), inside_LINK_ROW.x), select(vec4f(), LINK_X(at_LINK_ROW.y), inside_LINK_ROW.y), select(vec4f(), LINK_X(at_LINK_ROW.z), inside_LINK_ROW.z), select(vec4f(), LINK_X(at_LINK_ROW.w), inside_LINK_ROW.w));
            //</from_fours>
            //<from_values>
            let left_LINK_ROW = select(vec4f(), vec4f(LINK_X(at_LINK_ROW.x), LINK_X(at_LINK_ROW.y), LINK_X(at_LINK_ROW.z), LINK_X(at_LINK_ROW.w)), inside_LINK_ROW);
            //<weights_by_four>
            let right_LINK_NTH = LINK_W((place * DEPTH + i) * CHANNELS + column + LINK_NTH);
            //</weights_by_four>
            //<weights_by_value>
            //<forward>
            let right_LINK_NTH = LINK_right((place * DEPTH + i) * SINGLES, 1u, column + LINK_NTH, SINGLES);
            //</forward>
            //<transpose>
            let right_LINK_NTH = LINK_right(place * SINGLES * DEPTH + i, DEPTH, column + LINK_NTH, SINGLES);
            //</transpose>
            //</weights_by_value>
            sum_LINK_ROW_LINK_NTH += mat4x4f(right_LINK_NTH * left_LINK_ROW.x, right_LINK_NTH * left_LINK_ROW.y, right_LINK_NTH * left_LINK_ROW.z, right_LINK_NTH * left_LINK_ROW.w);
            //</from_values>
            //<to_one>
            let right_LINK_NTH = LINK_W(place * DEPTH + i);
            sum_LINK_ROW_LINK_NTH += right_LINK_NTH * left_LINK_ROW;
            //</to_one>
            //<both_fours>
            //<forward>
            //<weights_by_four>
            let w_LINK_NTH = (4u * place * DEPTH + 4u * i) * CHANNELS + column + LINK_NTH;
            let right_LINK_NTH = mat4x4f(LINK_W(w_LINK_NTH), LINK_W(w_LINK_NTH + CHANNELS), LINK_W(w_LINK_NTH + 2u * CHANNELS), LINK_W(w_LINK_NTH + 3u * CHANNELS));
            //</weights_by_four>
            //<weights_by_value>
            let w_LINK_NTH = (4u * place * DEPTH + 4u * i) * SINGLES;
            let right_LINK_NTH = mat4x4f(LINK_right(w_LINK_NTH, 1u, column + LINK_NTH, SINGLES), LINK_right(w_LINK_NTH + SINGLES, 1u, column + LINK_NTH, SINGLES), LINK_right(w_LINK_NTH + 2u * SINGLES, 1u, column + LINK_NTH, SINGLES), LINK_right(w_LINK_NTH + 3u * SINGLES, 1u, column + LINK_NTH, SINGLES));
            //</weights_by_value>
            //</forward>
            //<transpose>
            //<put_by_four>
            let w_LINK_NTH = 4u * (place * CHANNELS + column + LINK_NTH) * DEPTH + i;
            let right_LINK_NTH = transpose(mat4x4f(LINK_W(w_LINK_NTH), LINK_W(w_LINK_NTH + DEPTH), LINK_W(w_LINK_NTH + 2u * DEPTH), LINK_W(w_LINK_NTH + 3u * DEPTH)));
            //</put_by_four>
            //<put_by_value>
            let w_LINK_NTH = (place * SINGLES + min(4u * (column + LINK_NTH) + vec4u(0u, 1u, 2u, 3u), vec4u(SINGLES - 1u))) * DEPTH + i;
            let right_LINK_NTH = transpose(mat4x4f(LINK_W(w_LINK_NTH.x), LINK_W(w_LINK_NTH.y), LINK_W(w_LINK_NTH.z), LINK_W(w_LINK_NTH.w)));
            //</put_by_value>
            //</transpose>
            sum_LINK_ROW_LINK_NTH += right_LINK_NTH * left_LINK_ROW;
            //</both_fours>
            let ends = i + 1u == DEPTH;
            i = select(i + 1u, 0u, ends);
            tap.y += select(0u, 1u, ends);
            let turns = tap.y == TAPS_ACROSS;
            tap = select(tap, vec2u(tap.x + 1u, 0u), turns);
        }
        let down_LINK_ROW = image * PIXELS_DOWN * PHASES + y_LINK_ROW * PHASES + phase.x;
        let to_LINK_ROW = down_LINK_ROW * PIXELS_ACROSS * PHASES + x_LINK_ROW * PHASES + phase.y;
        let left_over_LINK_ROW = i32(PIXELS) - i32(row + 4u * LINK_ROW);
        //<shared>
        for (var half = 0u; half < 4u; half += 2u) {
            workgroupBarrier();
            if (half == 0u) {
                fours[thread] = array(vec4f(sum_LINK_ROW_LINK_NTH[0]), vec4f(sum_LINK_ROW_LINK_NTH[1]));
            } else {
                fours[thread] = array(vec4f(sum_LINK_ROW_LINK_NTH[2]), vec4f(sum_LINK_ROW_LINK_NTH[3]));
            }
            workgroupBarrier();
            // With two threads each has one of each half, with more the first two have those of the first.
            let own = part - select(half, 0u, SPLIT == 2u);
            let row = half + own;
            if (own < 2u && thread % (THREADS / SPLIT) < TILES && i32(row) < left_over_LINK_ROW) {
                var sum = fours[thread % (THREADS / SPLIT)][own];
                for (var other = 1u; other < SPLIT; other++) {
                    sum += fours[thread % (THREADS / SPLIT) + other * (THREADS / SPLIT)][own];
                }
                //<put_by_four>
                //<to_fours>
                LINK_PUT(sum, to_LINK_ROW[row] * CHANNELS + column, column);
                //</to_fours>
                //<to_one>
                LINK_PUT(vec4f(sum.x), to_LINK_ROW[row], 0u);
                //</to_one>
                //</put_by_four>
                //<put_by_value>
                LINK_each(sum, to_LINK_ROW[row], column, SINGLES);
                //</put_by_value>
            }
        }
        //</shared>
        //<alone>
        //<put_by_four>
        if (left_over_LINK_ROW > 0i) { LINK_PUT(vec4f(sum_LINK_ROW_LINK_NTH[0]), to_LINK_ROW.x * CHANNELS + column + LINK_NTH, column + LINK_NTH); }
        if (left_over_LINK_ROW > 1i) { LINK_PUT(vec4f(sum_LINK_ROW_LINK_NTH[1]), to_LINK_ROW.y * CHANNELS + column + LINK_NTH, column + LINK_NTH); }
        if (left_over_LINK_ROW > 2i) { LINK_PUT(vec4f(sum_LINK_ROW_LINK_NTH[2]), to_LINK_ROW.z * CHANNELS + column + LINK_NTH, column + LINK_NTH); }
        if (left_over_LINK_ROW > 3i) { LINK_PUT(vec4f(sum_LINK_ROW_LINK_NTH[3]), to_LINK_ROW.w * CHANNELS + column + LINK_NTH, column + LINK_NTH); }
        //</put_by_four>
        //<put_by_value>
        if (left_over_LINK_ROW > 0i) { LINK_each(sum_LINK_ROW_LINK_NTH[0], to_LINK_ROW.x, column + LINK_NTH, SINGLES); }
        if (left_over_LINK_ROW > 1i) { LINK_each(sum_LINK_ROW_LINK_NTH[1], to_LINK_ROW.y, column + LINK_NTH, SINGLES); }
        if (left_over_LINK_ROW > 2i) { LINK_each(sum_LINK_ROW_LINK_NTH[2], to_LINK_ROW.z, column + LINK_NTH, SINGLES); }
        if (left_over_LINK_ROW > 3i) { LINK_each(sum_LINK_ROW_LINK_NTH[3], to_LINK_ROW.w, column + LINK_NTH, SINGLES); }
        //</put_by_value>
        //</alone>
    }
}
//</convolve>

//<head>
//<to_one>
// Adds up eight sums of each thread, and writes those that there are.
fn LINK_fold(part: array<vec4f, 2>, first: u32, left: u32, to: u32, thread: u32) {
    workgroupBarrier();
    fours[thread] = part;
    workgroupBarrier();
    for (var rows = THREADS / 2u; rows >= 4u; rows /= 2u) {
        if (thread < rows) {
            fours[thread] = array(fours[thread][0] + fours[thread + rows][0], fours[thread][1] + fours[thread + rows][1]);
        }
        workgroupBarrier();
    }
    for (var n = thread; n < min(left, 8u); n += THREADS) {
        var sum = 0.0;
        for (var row = 0u; row < min(THREADS, 4u); row++) {
            sum += fours[row][n / 4u][n % 4u];
        }
        LINK_PUT(vec4f(sum), to + n, first + n);
    }
}
//</to_one>

// A product of the image's values with few columns, as is D's head; or with as few rows, as is its gradient. Four values of the image
// meet NARROW fours of weights, one of each column in turn. Of lines that name NTH there is one for each column, of those that name
// ROW for each eight.
fn LINK_head(image: u32, thread: u32) {
    //<constants>
    const FOURS = 196u; // of an image
    const NARROW = 11u; // columns
    //</constants>
    //<to_one>
    var sums: array<array<vec4f, 2>, (NARROW + 7u) / 8u>;
    //</to_one>
    //<to_fours>
    let x_LINK_NTH = LINK_X(image * NARROW + LINK_NTH);
    //</to_fours>
    for (var i = thread; i < FOURS; i += THREADS) {
        var w: array<vec4f, NARROW>;
        w[LINK_NTH] = LINK_W(i * NARROW + LINK_NTH);
        let column_LINK_NTH = vec4f(w[LINK_NTH / 4u][LINK_NTH % 4u], w[(NARROW + LINK_NTH) / 4u][(NARROW + LINK_NTH) % 4u], w[(2u * NARROW + LINK_NTH) / 4u][(2u * NARROW + LINK_NTH) % 4u], w[(3u * NARROW + LINK_NTH) / 4u][(3u * NARROW + LINK_NTH) % 4u]);
        //<to_one>
        let x = LINK_X(image * FOURS + i);
        sums[LINK_NTH / 8u][LINK_NTH / 4u % 2u][LINK_NTH % 4u] += dot(x, column_LINK_NTH);
        //</to_one>
        //<to_fours>
        var sum = vec4f();
        sum += x_LINK_NTH * column_LINK_NTH;
        LINK_PUT(sum, image * FOURS + i, i);
        //</to_fours>
    }
    //<to_one>
    LINK_fold(sums[LINK_ROW], 8u * LINK_ROW, NARROW - 8u * LINK_ROW, image * NARROW + 8u * LINK_ROW, thread);
    //</to_one>
}
//</head>

//<even_out>
// Normalises the image, as normalize.wgsl does, or is the gradient of that.
fn LINK_even_out(image: u32, thread: u32) {
    //<constants>
    const VECTORS = 98u; // of an image
    const LANES = 4u; // values in a vector
    const CHANNELS = 2u; // in vectors
    //</constants>
    const N = f32(LANES * VECTORS);
    const USED = vec4f(vec4u(0u, 1u, 2u, 3u) < vec4u(LANES));
    let start = image * VECTORS;
    var part = vec2f();
    for (var i = start + thread; i < start + VECTORS; i += THREADS) {
        part.x += dot(LINK_FROM(i), vec4f(1.0));
        //<backward>
        part.y += dot(LINK_X(i), vec4f(1.0));
        //</backward>
    }
    let mean = total(part, thread) / N;
    part = vec2f();
    for (var i = start + thread; i < start + VECTORS; i += THREADS) {
        let centred = (LINK_FROM(i) - mean.x) * USED;
        part.x += dot(centred, centred);
        //<backward>
        part.y += dot(centred, LINK_X(i));
        //</backward>
    }
    let second = total(part, thread) / N;
    let inverse = inverseSqrt(second.x + params.epsilon);
    for (var i = start + thread; i < start + VECTORS; i += THREADS) {
        var x = LINK_FROM(i) - mean.x;
        //<backward>
        x = LINK_X(i) - mean.y - x * (second.y * inverse * inverse);
        //</backward>
        LINK_PUT(x * inverse, i, (i - start) % CHANNELS);
    }
}
//</even_out>

//<moments>
// The moments of each channel over the image's pixels, for `evened` behind all images: its mean and how far its squares lie apart; and
// for a gradient the same of what that is with respect to, and the products of both.
fn LINK_moments(image: u32, thread: u32) {
    //<constants>
    const PIXELS = 49u;
    const CHANNELS = 2u; // in vectors
    const WIDE = 2u; // vectors of channels at a time
    const ROWS = 2u; // of moments
    //</constants>
    let slots = THREADS / WIDE; // threads for each of them
    let column = thread % WIDE;
    for (var block = 0u; block < CHANNELS; block += WIDE) {
        let channel = block + column;
        let start = image * PIXELS * CHANNELS + channel;
        var sum = vec4f();
        var other = vec4f();
        for (var i = thread / WIDE; i < PIXELS; i += slots) {
            sum += LINK_FROM(start + i * CHANNELS);
            //<backward>
            other += LINK_X(start + i * CHANNELS);
            //</backward>
        }
        let means = columns(sum, other, thread, WIDE);
        let mean = means[0] / f32(PIXELS);
        let mean_of_other = means[1] / f32(PIXELS);
        sum = vec4f();
        other = vec4f();
        for (var i = thread / WIDE; i < PIXELS; i += slots) {
            let centred = LINK_FROM(start + i * CHANNELS) - mean;
            sum += centred * centred;
            //<backward>
            other += centred * (LINK_X(start + i * CHANNELS) - mean_of_other);
            //</backward>
        }
        let sums = columns(sum, other, thread, WIDE);
        if (thread < WIDE) {
            let to = image * ROWS * CHANNELS + channel;
            LINK_PUT(mean, to, channel);
            LINK_PUT(sums[0], to + CHANNELS, channel);
            //<backward>
            LINK_PUT(mean_of_other, to + 2u * CHANNELS, channel);
            LINK_PUT(sums[1], to + 3u * CHANNELS, channel);
            //</backward>
        }
    }
}
//</moments>

//<evened>
// What even_out does, by the moments of all images of the batch: those of more values than an image has lie apart as its own do, and
// as the images' means do from the mean of all.
fn LINK_evened(image: u32, thread: u32) {
    //<constants>
    const PIXELS = 49u;
    const CHANNELS = 2u;
    const WIDE = 2u;
    const GROUP = 16u; // images of a batch
    const ROWS = 2u;
    //</constants>
    let slots = THREADS / WIDE;
    let column = thread % WIDE;
    for (var block = 0u; block < CHANNELS; block += WIDE) {
        let channel = block + column;
        let first = image / GROUP * GROUP * ROWS * CHANNELS + channel;
        var sum = vec4f();
        var other = vec4f();
        for (var i = thread / WIDE; i < GROUP; i += slots) {
            sum += LINK_M(first + i * ROWS * CHANNELS);
            //<backward>
            other += LINK_M(first + (i * ROWS + 2u) * CHANNELS);
            //</backward>
        }
        let means = columns(sum, other, thread, WIDE);
        let mean = means[0] / f32(GROUP);
        let mean_of_other = means[1] / f32(GROUP);
        sum = vec4f();
        other = vec4f();
        for (var i = thread / WIDE; i < GROUP; i += slots) {
            let at = first + i * ROWS * CHANNELS;
            let apart = LINK_M(at) - mean;
            sum += LINK_M(at + CHANNELS) + f32(PIXELS) * apart * apart;
            //<backward>
            other += LINK_M(at + 3u * CHANNELS) + f32(PIXELS) * apart * (LINK_M(at + 2u * CHANNELS) - mean_of_other);
            //</backward>
        }
        let sums = columns(sum, other, thread, WIDE);
        let inverse = inverseSqrt(sums[0] / f32(GROUP * PIXELS) + params.epsilon);
        let along = sums[1] / f32(GROUP * PIXELS) * inverse * inverse;
        // Those that are no whole row have only summed along.
        for (var i = select(PIXELS, thread / WIDE, thread < slots * WIDE); i < PIXELS; i += slots) {
            let at = (image * PIXELS + i) * CHANNELS + channel;
            var x = LINK_FROM(at) - mean;
            //<backward>
            x = LINK_X(at) - mean_of_other - x * along;
            //</backward>
            LINK_PUT(x * inverse, at, channel);
        }
    }
}
//</evened>

//<drop>
// Drops values of the image, as dropout.wgsl does.
fn LINK_drop(image: u32, thread: u32) {
    //<constants>
    const FOURS = 196u; // of an image
    const LANE = 1u; // of the clock, for the counter,
    const AHEAD = 1u; // and how many ticks it is behind
    const SEED = 4u; // the lane that holds the seed
    const STREAM = 16u;
    const RATE = 1050253722u; // the bits of the share that falls out
    //</constants>
    let time = LINK_CLOCK(LANE) + AHEAD;
    let key = vec2u(LINK_CLOCK(SEED), STREAM);
    for (var i = image * FOURS + thread; i < (image + 1u) * FOURS; i += THREADS) {
        let numbers = vec4f(philox(vec4u(i, time, 0u, 0u), key) >> vec4u(8u)) * UNIT;
        LINK_PUT(select(vec4f(), LINK_X(i), numbers >= vec4f(bitcast<f32>(RATE))), i, 0u);
    }
}
//</drop>

//<displace>
// Moves the image, or back, as translate.wgsl does; value by value.
fn LINK_displace(image: u32, thread: u32) {
    //<constants>
    const HEIGHT = 28u;
    const WIDTH = 28u;
    const CHANNELS = 1u;
    const LANE = 1u; // of the clock, for the counter,
    const AHEAD = 1u; // and how many ticks it is behind
    const SEED = 4u; // the lane that holds the seed
    const STREAM = 7u;
    const MOST = 3u; // pixels
    const BACKWARDS = 0u;
    const FILL = 3212836864u; // the bits of what comes in at the edges
    //</constants>
    const LINE = WIDTH * CHANNELS;
    let words = philox(vec4u(image, LINK_CLOCK(LANE) + AHEAD, 0u, 0u), vec2u(LINK_CLOCK(SEED), STREAM));
    let shift = (vec2i(words.xy % (2u * MOST + 1u)) - i32(MOST)) * select(1i, -1i, BACKWARDS == 1u);
    for (var i = thread; i < HEIGHT * LINE; i += THREADS) {
        let at = vec2i(vec2u(i / LINE, i % LINE / CHANNELS)) + shift;
        var value = vec4f(bitcast<f32>(FILL));
        if (all(at >= vec2i()) && all(at < vec2i(vec2u(HEIGHT, WIDTH)))) {
            value = vec4f(LINK_X(image * HEIGHT * LINE + u32(at.x) * LINE + u32(at.y) * CHANNELS + i % CHANNELS));
        }
        LINK_PUT(value, image * HEIGHT * LINE + i, i % CHANNELS);
    }
}
//</displace>

//<repeat>
// Makes the image larger, or smaller, as upsample.wgsl does.
fn LINK_repeat(image: u32, thread: u32) {
    //<constants>
    const HEIGHT = 14u; // of the result
    const WIDTH = 14u;
    const CHANNELS = 2u;
    const FACTOR = 2u;
    //</constants>
    const FOURS = HEIGHT * WIDTH * CHANNELS;
    for (var i = thread; i < FOURS; i += THREADS) {
        let channel = i % CHANNELS;
        let column = i / CHANNELS % WIDTH;
        let row = i / CHANNELS / WIDTH + image * HEIGHT; // of all images, one below another
        var x = vec4f();
        //<upsample>
        x = LINK_X((row / FACTOR * (WIDTH / FACTOR) + column / FACTOR) * CHANNELS + channel);
        //</upsample>
        //<pool>
        for (var t = 0u; t < FACTOR * FACTOR; t++) {
            x += LINK_X(((row * FACTOR + t / FACTOR) * WIDTH * FACTOR + column * FACTOR + t % FACTOR) * CHANNELS + channel);
        }
        //</pool>
        LINK_PUT(x, image * FOURS + i, channel);
    }
}
//</repeat>

@compute @workgroup_size(THREADS)
fn run(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) thread: u32) {
    //<links>
    LINK_convolve(group.x, thread);
    storageBarrier();
    LINK_even_out(group.x, thread);
    storageBarrier();
    LINK_repeat(group.x, thread);
    //</links>
}
