// Comes after ../total.wgsl and ../random.wgsl and ../functions.wgsl and ../chain.wgsl.
//
// A link of a chain: see chain.wgsl.

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
fn LINK_run(image: u32, thread: u32) {
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
