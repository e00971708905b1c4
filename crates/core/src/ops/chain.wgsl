// Comes after total.wgsl.
//
// Several layers in one dispatch: each workgroup takes its own image through all of them, with barriers between. Images don't
// know of each other, so nobody waits for the others.
//
// chain.rs binds the memories that the layers touch, and writes a function for each of them: what stands here between the marks
// is a sample. Channels are fours, and places count fours; but an image of one channel is read and written by single values.

struct Params {
    links: u32, // layers; for whoever looks at the buffer
}

@group(0) @binding(0) var<uniform> params: Params;
//<memories>
@group(0) @binding(1) var<storage, read_write> m0: array<vec4f>;
const LINK_ROW = 0u;
const LINK_NTH = 0u;
const LINK_EPSILON = 1e-5;
const LINK_SCALE = 1.0;
// What the layer before has left, the weights or what else it needs, and where its values go.
fn LINK_X(at: u32) -> vec4f { return m0[at]; }
fn LINK_W(at: u32) -> vec4f { return m0[at]; }
fn LINK_FROM(at: u32) -> vec4f { return m0[at]; } // one of both
fn LINK_PUT(value: vec4f, at: u32, column: u32) { m0[at] = finish(value, m0[column], true, 1u, 0.2); }
//</memories>

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
// A convolution, or its transpose, from a source to a result. A transpose's pixels fall into PHASES down and as many across, by the
// places of the kernel that reach them: those of a tile are of one phase. Of lines that name ROW or NTH there is one for each four
// of pixels or of channels in a thread's tile.
fn LINK_CONVOLVE(image: u32, thread: u32) {
    //<constants>
    const DEEP = 1u; // fours of pixels in a tile,
    const WIDE = 1u; // and fours of channels
    const HEIGHT = 7i; // of the source
    const WIDTH = 7i;
    const DEPTH = 4u; // its channels, in fours; or one
    const PIXELS_DOWN = 7u; // of the result, or of one of its phases
    const PIXELS_ACROSS = 7u;
    const CHANNELS = 2u; // the result's, likewise
    const TAPS_DOWN = 2u; // places of the kernel that reach a pixel
    const TAPS_ACROSS = 2u;
    const STRIDE = 1u; // pixels of the source from one of the result to the next
    const PHASES = 2u;
    const PAD = 1u;
    //</constants>
    const PIXELS = PIXELS_DOWN * PIXELS_ACROSS;
    const DOWN = (PIXELS + 4u * DEEP - 1u) / (4u * DEEP);
    const ACROSS = CHANNELS / WIDE;
    for (var tile = thread; tile < PHASES * PHASES * DOWN * ACROSS; tile += THREADS) {
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
        var tap = vec2u();
        var i = 0u;
        for (var l = 0u; l < TAPS_DOWN * TAPS_ACROSS * DEPTH; l++) {
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
            //<from_one>
            let left_LINK_ROW = select(vec4f(), vec4f(LINK_X(at_LINK_ROW.x), LINK_X(at_LINK_ROW.y), LINK_X(at_LINK_ROW.z), LINK_X(at_LINK_ROW.w)), inside_LINK_ROW);
            let right_LINK_NTH = LINK_W(place * CHANNELS + column + LINK_NTH);
            sum_LINK_ROW_LINK_NTH += mat4x4f(right_LINK_NTH * left_LINK_ROW.x, right_LINK_NTH * left_LINK_ROW.y, right_LINK_NTH * left_LINK_ROW.z, right_LINK_NTH * left_LINK_ROW.w);
            //</from_one>
            //<to_one>
            let right_LINK_NTH = LINK_W(place * DEPTH + i);
            sum_LINK_ROW_LINK_NTH += right_LINK_NTH * left_LINK_ROW;
            //</to_one>
            //<both_fours>
            //<forward>
            let w_LINK_NTH = (4u * place * DEPTH + 4u * i) * CHANNELS + column + LINK_NTH;
            let right_LINK_NTH = mat4x4f(LINK_W(w_LINK_NTH), LINK_W(w_LINK_NTH + CHANNELS), LINK_W(w_LINK_NTH + 2u * CHANNELS), LINK_W(w_LINK_NTH + 3u * CHANNELS));
            //</forward>
            //<transpose>
            let w_LINK_NTH = 4u * (place * CHANNELS + column + LINK_NTH) * DEPTH + i;
            let right_LINK_NTH = transpose(mat4x4f(LINK_W(w_LINK_NTH), LINK_W(w_LINK_NTH + DEPTH), LINK_W(w_LINK_NTH + 2u * DEPTH), LINK_W(w_LINK_NTH + 3u * DEPTH)));
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
        let to_LINK_ROW = (down_LINK_ROW * PIXELS_ACROSS * PHASES + x_LINK_ROW * PHASES + phase.y) * CHANNELS + column;
        let left_over_LINK_ROW = i32(PIXELS) - i32(row + 4u * LINK_ROW);
        if (left_over_LINK_ROW > 0i) { LINK_PUT(sum_LINK_ROW_LINK_NTH[0], to_LINK_ROW.x + LINK_NTH, column + LINK_NTH); }
        if (left_over_LINK_ROW > 1i) { LINK_PUT(sum_LINK_ROW_LINK_NTH[1], to_LINK_ROW.y + LINK_NTH, column + LINK_NTH); }
        if (left_over_LINK_ROW > 2i) { LINK_PUT(sum_LINK_ROW_LINK_NTH[2], to_LINK_ROW.z + LINK_NTH, column + LINK_NTH); }
        if (left_over_LINK_ROW > 3i) { LINK_PUT(sum_LINK_ROW_LINK_NTH[3], to_LINK_ROW.w + LINK_NTH, column + LINK_NTH); }
    }
}
//</convolve>

//<even_out>
// Normalises the image, as normalize.wgsl does, or is the gradient of that.
fn LINK_EVEN_OUT(image: u32, thread: u32) {
    //<constants>
    const FOURS = 98u; // of an image
    const CHANNELS = 2u;
    //</constants>
    const N = f32(4u * FOURS);
    let start = image * FOURS;
    var part = vec2f();
    for (var i = start + thread; i < start + FOURS; i += THREADS) {
        part.x += dot(LINK_FROM(i), vec4f(1.0));
        //<backward>
        part.y += dot(LINK_X(i), vec4f(1.0));
        //</backward>
    }
    let mean = total(part, thread) / N;
    part = vec2f();
    for (var i = start + thread; i < start + FOURS; i += THREADS) {
        let centred = LINK_FROM(i) - mean.x;
        part.x += dot(centred, centred);
        //<backward>
        part.y += dot(centred, LINK_X(i));
        //</backward>
    }
    let second = total(part, thread) / N;
    let inverse = inverseSqrt(second.x + LINK_EPSILON);
    for (var i = start + thread; i < start + FOURS; i += THREADS) {
        var x = LINK_FROM(i) - mean.x;
        //<backward>
        x = LINK_X(i) - mean.y - x * (second.y * inverse * inverse);
        //</backward>
        LINK_PUT(x * inverse, i, (i - start) % CHANNELS);
    }
}
//</even_out>

//<repeat>
// Makes the image larger, or smaller, as upsample.wgsl does.
fn LINK_REPEAT(image: u32, thread: u32) {
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
        LINK_PUT(LINK_SCALE * x, image * FOURS + i, channel);
    }
}
//</repeat>

@compute @workgroup_size(THREADS)
fn run(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) thread: u32) {
    //<links>
    LINK_CONVOLVE(group.x, thread);
    storageBarrier();
    LINK_EVEN_OUT(group.x, thread);
    storageBarrier();
    LINK_REPEAT(group.x, thread);
    //</links>
}
