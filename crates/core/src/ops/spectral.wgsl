// W [K, N] divided by its largest singular value, which one turn of the power method improves:
// v = W u / |W u|,  t = Wᵀ v,  sigma = |t|,  u = t / sigma,  W = W / sigma
//
// In place. One workgroup.

struct Params {
    rows: u32, // K
    columns: u32, // N
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read_write> w: array<f32>;
@group(0) @binding(2) var<storage, read_write> u: array<f32>; // [N]
@group(0) @binding(3) var<storage, read_write> v: array<f32>; // [K]

override THREADS: u32 = 64u;
const TINY = 1e-12;

var<workgroup> partial: array<f32, THREADS>;

// The length of a vector whose squares the threads have summed in part.
fn length_of(part: f32, thread: u32) -> f32 {
    workgroupBarrier();
    partial[thread] = part;
    workgroupBarrier();
    var sum = 0.0;
    for (var i = 0u; i < THREADS; i++) {
        sum += partial[i];
    }
    return sqrt(sum);
}

@compute @workgroup_size(THREADS)
fn update(@builtin(local_invocation_index) thread: u32) {
    var squares = 0.0;
    for (var k = thread; k < params.rows; k += THREADS) {
        var sum = 0.0;
        for (var n = 0u; n < params.columns; n++) {
            sum += w[k * params.columns + n] * u[n];
        }
        v[k] = sum;
        squares += sum * sum;
    }
    let v_length = length_of(squares, thread);
    storageBarrier();
    // The same in all threads, as they add the same numbers in the same order; but a compiler can't know, so it chooses
    // instead of returning early.
    let stays = v_length <= TINY;
    squares = 0.0;
    for (var n = thread; n < params.columns; n += THREADS) {
        var sum = 0.0;
        for (var k = 0u; k < params.rows; k++) {
            sum += w[k * params.columns + n] * v[k];
        }
        sum = select(sum / v_length, u[n], stays);
        u[n] = sum;
        squares += sum * sum;
    }
    let length = length_of(squares, thread);
    let sigma = select(length, 1.0, stays);
    storageBarrier();
    for (var n = thread; n < params.columns; n += THREADS) {
        u[n] /= sigma;
    }
    for (var i = thread; i < params.rows * params.columns; i += THREADS) {
        w[i] /= sigma;
    }
}
