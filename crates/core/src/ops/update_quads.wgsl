// Comes after optimizers.wgsl and subgroups.wgsl and update.wgsl.
//
// A dense layer's weights in an update where a vector of the processor is four threads, a quad: as product_quads.wgsl says, a
// thread reads half of its tile's places and half of its channels, and has the others from the threads beside and below. Its sums
// take four rows of the batch at a time.
//
// Of lines that name OWN_ROW or OWN_NTH there is one for each four of places or channels that the thread reads; FAR_ROW and
// FAR_NTH are the others. AHEAD are the fours of rows that a round takes.

//<sample>
const JOB_OWN_ROW = 0u;
const JOB_OWN_NTH = 0u;
const JOB_AHEAD = 0u;
const v_JOB_ROW_JOB_AHEAD = mat4x4f();
const dy_JOB_NTH_JOB_AHEAD = mat4x4f();
//</sample>

//<quads>
fn JOB_FOUR(at: vec4u) -> vec4f {
    return vec4f(JOB_X_one(at.x), JOB_X_one(at.y), JOB_X_one(at.z), JOB_X_one(at.w));
}

// Four places in four rows of the batch, a place in each column.
fn JOB_LEFT(at: vec4u, step: u32) -> mat4x4f {
    return transpose(mat4x4f(JOB_FOUR(at), JOB_FOUR(at + step), JOB_FOUR(at + 2u * step), JOB_FOUR(at + 3u * step)));
}

fn JOB_SLOPES(at: u32) -> vec4f {
    return JOB_DY_four(at);
}

// Four channels in four rows of the batch, a row in each column.
fn JOB_RIGHT(at: u32, step: u32) -> mat4x4f {
    return mat4x4f(JOB_SLOPES(at), JOB_SLOPES(at + step), JOB_SLOPES(at + 2u * step), JOB_SLOPES(at + 3u * step));
}

fn JOB_QUADS(group: u32, thread: u32) {
    //<constants>
    const AT = 0u;
    const X_AT = 0u;
    const DY_AT = 0u;
    const DEEP = 2u;
    const WIDE = 2u;
    const AHEAD = 1u;
    const PLACES = 512u;
    const PIXELS = 64u;
    const OUT_CHANNELS = 256u;
    //</constants>
    const ACROSS = (OUT_CHANNELS + 8u * WIDE - 1u) / (8u * WIDE);
    let quad = (group * THREADS + thread) / 4u;
    let beside = thread % 2u;
    let below = thread / 2u % 2u;
    let row = (2u * (quad / ACROSS) + below) * 4u * DEEP;
    let column = (2u * (quad % ACROSS) + beside) * 4u * WIDE;
    // Past the last place or channels the last ones are read again, and not written.
    let at_JOB_OWN_ROW = X_AT + min(row + (beside * DEEP / 2u + JOB_OWN_ROW) * 4u + vec4u(0u, 1u, 2u, 3u), vec4u(PLACES - 1u));
    let slope_JOB_OWN_NTH = DY_AT + min(column + (below * WIDE / 2u + JOB_OWN_NTH) * 4u, OUT_CHANNELS - 4u);
    var sum_JOB_ROW_JOB_NTH = mat4x4f();
    for (var l = 0u; l < PIXELS; l += 4u * AHEAD) {
        let v_JOB_OWN_ROW_JOB_AHEAD = JOB_LEFT(at_JOB_OWN_ROW + (l + 4u * JOB_AHEAD) * PLACES, PLACES);
        let v_JOB_FAR_ROW_JOB_AHEAD = beside_block(v_JOB_OWN_ROW_JOB_AHEAD);
        let dy_JOB_OWN_NTH_JOB_AHEAD = JOB_RIGHT(slope_JOB_OWN_NTH + (l + 4u * JOB_AHEAD) * OUT_CHANNELS, OUT_CHANNELS);
        let dy_JOB_FAR_NTH_JOB_AHEAD = below_block(dy_JOB_OWN_NTH_JOB_AHEAD);
        sum_JOB_ROW_JOB_NTH += dy_JOB_NTH_JOB_AHEAD * v_JOB_ROW_JOB_AHEAD;
    }
    if (row >= PLACES) {
        return;
    }
    tile_at = (AT + row * OUT_CHANNELS + column) / 4u;
    tile_columns = OUT_CHANNELS / 4u;
    tile_wide = WIDE;
    tile_rows = min(i32(PLACES - row), i32(4u * DEEP));
    tile_fours = min((i32(OUT_CHANNELS) - i32(column)) / 4i, i32(WIDE));
    tile_swap = vec2u(beside * 2u * DEEP, below * WIDE / 2u);
    gradients[4u * JOB_ROW * WIDE + JOB_NTH] = sum_JOB_ROW_JOB_NTH[0];
    gradients[(4u * JOB_ROW + 1u) * WIDE + JOB_NTH] = sum_JOB_ROW_JOB_NTH[1];
    gradients[(4u * JOB_ROW + 2u) * WIDE + JOB_NTH] = sum_JOB_ROW_JOB_NTH[2];
    gradients[(4u * JOB_ROW + 3u) * WIDE + JOB_NTH] = sum_JOB_ROW_JOB_NTH[3];
}
//</quads>
