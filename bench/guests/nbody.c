// The outer planets under gravity, integrated step by step: scalar f64 arithmetic, square roots,
// and loads and stores of structure fields. The checksum is the total energy to seven digits, so
// that it does not depend on the last bits. Guest; see README.md.
#include "guest.h"

enum { body_count = 5, steps = 2500000 };

struct Body {
  double x, y, z;
  double velocity_x, velocity_y, velocity_z;
  double mass;
};

#define SOLAR_MASS (4.0 * 3.141592653589793 * 3.141592653589793)
#define DAYS 365.24

static struct Body bodies[body_count];
static const struct Body initial[body_count] = {
    {0, 0, 0, 0, 0, 0, SOLAR_MASS},
    {4.84143144246472090e+00, -1.16032004402742839e+00, -1.03622044471123109e-01, 1.66007664274403694e-03 * DAYS,
     7.69901118419740425e-03 * DAYS, -6.90460016972063023e-05 * DAYS, 9.54791938424326609e-04 * SOLAR_MASS},
    {8.34336671824457987e+00, 4.12479856412430479e+00, -4.03523417114321381e-01, -2.76742510726411870e-03 * DAYS,
     4.99852801234917238e-03 * DAYS, 2.30417297573763929e-05 * DAYS, 2.85885980666130812e-04 * SOLAR_MASS},
    {1.28943695621391310e+01, -1.51111514016986312e+01, -2.23307578892655734e-01, 2.96460137564761618e-03 * DAYS,
     2.37847173959480950e-03 * DAYS, -2.96589568540237556e-05 * DAYS, 4.36624404335156298e-05 * SOLAR_MASS},
    {1.53796971148509165e+01, -2.59193146099879641e+01, 1.79258772950371181e-01, 2.68067772490389322e-03 * DAYS,
     1.62824170038242295e-03 * DAYS, -9.51592254519715870e-05 * DAYS, 5.15138902046611451e-05 * SOLAR_MASS},
};

static void remove_drift(void) {
  double x = 0, y = 0, z = 0;
  for (int i = 0; i < body_count; ++i) {
    x += bodies[i].velocity_x * bodies[i].mass;
    y += bodies[i].velocity_y * bodies[i].mass;
    z += bodies[i].velocity_z * bodies[i].mass;
  }
  bodies[0].velocity_x = -x / SOLAR_MASS;
  bodies[0].velocity_y = -y / SOLAR_MASS;
  bodies[0].velocity_z = -z / SOLAR_MASS;
}

static __attribute__((noinline)) void advance(struct Body* all, int count, double step) {
  for (int i = 0; i < count; ++i) {
    struct Body* a = &all[i];
    for (int j = i + 1; j < count; ++j) {
      struct Body* b = &all[j];
      double dx = a->x - b->x, dy = a->y - b->y, dz = a->z - b->z;
      double squared = dx * dx + dy * dy + dz * dz;
      double magnitude = step / (squared * __builtin_sqrt(squared));
      a->velocity_x -= dx * b->mass * magnitude;
      a->velocity_y -= dy * b->mass * magnitude;
      a->velocity_z -= dz * b->mass * magnitude;
      b->velocity_x += dx * a->mass * magnitude;
      b->velocity_y += dy * a->mass * magnitude;
      b->velocity_z += dz * a->mass * magnitude;
    }
  }
  for (int i = 0; i < count; ++i) {
    all[i].x += step * all[i].velocity_x;
    all[i].y += step * all[i].velocity_y;
    all[i].z += step * all[i].velocity_z;
  }
}

static double energy(void) {
  double sum = 0;
  for (int i = 0; i < body_count; ++i) {
    const struct Body* a = &bodies[i];
    sum +=
        0.5 * a->mass * (a->velocity_x * a->velocity_x + a->velocity_y * a->velocity_y + a->velocity_z * a->velocity_z);
    for (int j = i + 1; j < body_count; ++j) {
      const struct Body* b = &bodies[j];
      double dx = a->x - b->x, dy = a->y - b->y, dz = a->z - b->z;
      sum -= a->mass * b->mass / __builtin_sqrt(dx * dx + dy * dy + dz * dz);
    }
  }
  return sum;
}

int run(void) {
  for (int i = 0; i < body_count; ++i) bodies[i] = initial[i];
  remove_drift();
  for (int step = 0; step < steps; ++step) advance(bodies, body_count, 0.01);
  return to_checksum((unsigned)(-energy() * 1e7));
}
