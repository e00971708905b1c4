// Random numbers that are counted, not kept: Philox 4x32-10 (Salmon et al., "Parallel random numbers: as easy as 1, 2, 3",
// SC 2011). A block of four words comes out of a counter and a key. The top 24 bits of a word make a number; two words
// make two normal numbers (Box and Muller 1958). WGSL promises little of sin and cos, and of log near 1, so both are
// short series here, good to about 1e-7, as on the CPU.

const UNIT = 1.0 / 16777216.0; // 2^-24, the step between numbers of 24 bits

// The upper 32 bits of a * b, by 16-bit halves: no sum here passes 2^32 - 1.
fn high_half(a: u32, b: u32) -> u32 {
    let a0 = a & 0xffffu;
    let a1 = a >> 16u;
    let b0 = b & 0xffffu;
    let b1 = b >> 16u;
    let middle = a1 * b0 + ((a0 * b0) >> 16u);
    let carry = (middle & 0xffffu) + a0 * b1;
    return a1 * b1 + (middle >> 16u) + (carry >> 16u);
}

fn philox(first_counter: vec4u, first_key: vec2u) -> vec4u {
    var c = first_counter;
    var key = first_key;
    for (var round = 0u; round < 10u; round++) {
        c = vec4u(
            high_half(0xcd9e8d57u, c.z) ^ c.y ^ key.x,
            0xcd9e8d57u * c.z,
            high_half(0xd2511f53u, c.x) ^ c.w ^ key.y,
            0xd2511f53u * c.x,
        );
        key += vec2u(0x9e3779b9u, 0xbb67ae85u);
    }
    return c;
}

// ln u for u = count / 2^24, count from 1 to 2^24. With u = m * 2^e and m around 1: ln u = ln m + e * ln 2, and
// ln m = 2 (s + s^3/3 + s^5/5 + ...) with s = (m - 1) / (m + 1).
fn logarithm(count: u32) -> f32 {
    const ROOT_HALF = 0x3f3504f3u; // the bits of sqrt(1/2): m lies from there to twice that
    let bits = bitcast<u32>(f32(count)) - ROOT_HALF;
    let e = f32(bits >> 23u) - 24.0;
    let m = bitcast<f32>((bits & 0x7fffffu) + ROOT_HALF);
    let s = (m - 1.0) / (m + 1.0);
    let z = s * s;
    return e * 0.6931472 + 2.0 * s * (1.0 + z * (1.0 / 3.0 + z * (1.0 / 5.0 + z * (1.0 / 7.0 + z / 9.0))));
}

// Cosine and sine of the angle count / 2^24 of a full turn: quarter turns are exact, the rest is at most an eighth.
fn direction(count: u32) -> vec2f {
    const EIGHTH = 1u << 21u;
    let shifted = count + EIGHTH;
    let rest = f32(shifted & 0x3fffffu) - f32(EIGHTH);
    let x = rest * (1.5707964 / 4194304.0);
    let z = x * x;
    let c = 1.0 - z * (1.0 / 2.0 - z * (1.0 / 24.0 - z * (1.0 / 720.0 - z / 40320.0)));
    let s = x * (1.0 - z * (1.0 / 6.0 - z * (1.0 / 120.0 - z * (1.0 / 5040.0 - z / 362880.0))));
    switch (shifted >> 22u) & 3u {
        case 0u: { return vec2f(c, s); }
        case 1u: { return vec2f(-s, c); }
        case 2u: { return vec2f(-c, -s); }
        default: { return vec2f(s, -c); }
    }
}

fn normal_pair(radius: u32, angle: u32) -> vec2f {
    // From 1 on, so that the logarithm is finite.
    return sqrt(-2.0 * logarithm((radius >> 8u) + 1u)) * direction(angle >> 8u);
}

