// How a weight follows its gradient; see adam.rs, sgd.rs and average.rs.

// 1 - exp(x) for x <= 0.
fn one_minus_exp(x: f32) -> f32 {
    if (x < -0.5) {
        return 1.0 - exp(max(x, -80.0));
    }
    // The series of exp up to x^8, in Horner's form.
    var sum = 1.0;
    for (var k = 8.0; k > 1.0; k -= 1.0) {
        sum = 1.0 + x / k * sum;
    }
    return -x * sum;
}

// The weight and its two moments after gradient g. `betas` are the moments' decays, `rate` the learning rate over the
// first moment's correction, `root` the square root of the second's.
fn adam(old: vec3f, g: f32, betas: vec2f, rate: f32, root: f32, epsilon: f32) -> vec3f {
    let mean = old.y + (1.0 - betas.x) * (g - old.y);
    let square = old.z + (1.0 - betas.y) * (g * g - old.z);
    return vec3f(old.x - rate * mean / (sqrt(square) / root + epsilon), mean, square);
}

// The weight and its velocity after gradient g.
fn momentum(old: vec2f, g: f32, keep: f32, rate: f32) -> vec2f {
    let velocity = keep * old.y + g;
    return vec2f(old.x - rate * velocity, velocity);
}

// How far an average moves towards its weight at the count-th update.
fn following(count: f32, decay: f32) -> f32 {
    return 1.0 - min(decay, count / (count + 9.0));
}

