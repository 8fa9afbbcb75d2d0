// Depth-wise convolution on CPUs, with kernels that all images share or of each image's own.
//
// Maps are (images, channels, height, width) with any strides, kernels (images, channels, k, k). Channels do
// not see each other, so that a vector holds as many of them as it has lanes, however narrow a map is. Maps
// and kernels are brought into that order row by row, just before they are needed, with zeros on both sides
// of a row, so that no tap asks where it ends. Then each product takes one load: of the map, at a tap.
// Rows and taps that read nothing of the map are left out: of a kernel above its map, most of it.

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <new>
#include <type_traits>
#include <utility>

namespace {

using Index = std::int64_t;
#ifdef __AVX512F__
constexpr Index kBytes = 64;  // of a vector
#else
constexpr Index kBytes = 32;
#endif
constexpr int kMost = 14;           // vectors of sums that stay in registers, of which there are 16 or 32
constexpr int kBehind = 3;          // zero columns that products read behind a row
constexpr Index kPositions = 56;    // over which products are summed in registers, at least
constexpr Index kCached = 1 << 17;  // bytes of rows that stay in the second cache
template <typename T>
constexpr Index kLanes = kBytes / sizeof(T);  // channels at a time

struct Map {
  Index images, channels, height, width, kernel;
};
struct Strides {  // in elements
  Index image, channel, row, column;
};

template <typename T>
struct Vector {
  typedef T type __attribute__((vector_size(kBytes), may_alias));
  typedef T anywhere __attribute__((vector_size(kBytes), aligned(alignof(T)), may_alias));
};
template <typename T>
using Lanes = typename Vector<T>::type;

// Vectors that begin where a line of the cache does, zeros at first.
template <typename T>
class Buffer {
 public:
  explicit Buffer(Index vectors)
      : values_(static_cast<Lanes<T>*>(std::aligned_alloc(kBytes, std::max<Index>(vectors, 1) * kBytes))) {
    if (!values_) throw std::bad_alloc();
    std::fill_n(values_, vectors, Lanes<T>{});
  }
  Buffer(const Buffer&) = delete;
  Buffer& operator=(const Buffer&) = delete;
  ~Buffer() { std::free(values_); }
  Lanes<T>* at(Index vector) { return values_ + vector; }
  const Lanes<T>* at(Index vector) const { return values_ + vector; }

 private:
  Lanes<T>* values_;
};

// Calls with a count, of 1 to kMost, as a constant.
template <typename Run, int... kLess>
void with_count(Index count, Run run, std::integer_sequence<int, kLess...>) {
  ((count == kLess + 1 ? run(std::integral_constant<int, kLess + 1>()) : void()), ...);
}
template <typename Run>
void with_count(Index count, Run run) {
  with_count(count, run, std::make_integer_sequence<int, kMost>());
}

// A row of channels from memory into vectors, or (kBack) the way back. The vectors of the next block of
// channels are `plane` further on.
template <typename T, bool kBack>
void transpose_row(T* memory, const Strides& strides, Index channels, Lanes<T>* vectors, Index plane,
                   Index columns) {
  auto move = [](auto& outside, auto& inside) {
    if constexpr (kBack)
      outside = inside;
    else
      inside = outside;
  };
  Index first = 0;
  if (strides.channel == 1) {
    for (Index q = 0; q < columns; ++q) {
      T* of_column = memory + q * strides.column;
      for (Index b = 0; (b + 1) * kLanes<T> <= channels; ++b)
        move(*reinterpret_cast<typename Vector<T>::anywhere*>(of_column + b * kLanes<T>),
             vectors[b * plane + q]);
    }
    first = channels / kLanes<T> * kLanes<T>;
  }
  for (Index c = first; c < channels; ++c) {
    T* lane = reinterpret_cast<T*>(vectors + c / kLanes<T> * plane) + c % kLanes<T>;
    for (Index q = 0; q < columns; ++q)
      move(memory[q * strides.column + c * strides.channel], lane[q * kLanes<T>]);
  }
}

// Rows of blocks of channels, with `border` zero columns on both sides, and `behind` more. Where there are
// fewer than the map has, a row takes the place of the one that came so many before it.
template <typename T>
class Rows {
 public:
  Rows(Index blocks, Index rows, Index columns, Index border, Index behind = 0)
      : rows_(std::max<Index>(rows, 1)),
        columns_(columns),
        border_(border),
        pitch_(columns + 2 * border + behind),
        values_(blocks * plane()) {}

  void fill(const T* from, const Strides& strides, Index channels, Index first, Index end) {
    for (Index row = first; row < end; ++row)
      transpose_row<T, false>(const_cast<T*>(from) + row * strides.row, strides, channels,
                              values_.at(row % rows_ * pitch_ + border_), plane(), columns_);
  }
  Index plane() const { return rows_ * pitch_; }
  Index pitch() const { return pitch_; }

  // Columns from one on, of one row after the other.
  class Walk {
   public:
    Walk(const Rows& rows, Index block, Index row, Index column)
        : first_(rows.values_.at(block * rows.plane() + rows.border_ + column)),
          pitch_(rows.pitch_),
          rows_(rows.rows_),
          now_(row % rows.rows_) {}
    const Lanes<T>* next() {
      const Lanes<T>* found = first_ + now_ * pitch_;
      now_ = now_ + 1 == rows_ ? 0 : now_ + 1;
      return found;
    }

   private:
    const Lanes<T>* first_;
    Index pitch_, rows_, now_;
  };

 private:
  Index rows_, columns_, border_, pitch_;
  Buffer<T> values_;
};

// The taps that read anything of the map at all: so many in each direction.
struct Taps {
  Index half, down, right;
  explicit Taps(const Map& map)
      : half(map.kernel / 2),
        down(std::min(half, std::max<Index>(map.height - 1, 0))),
        right(std::min(half, std::max<Index>(map.width - 1, 0))) {}
  Index columns() const { return 2 * right + 1; }
  Index count() const { return (2 * down + 1) * columns(); }
};

// What a thread works on at a time: blocks of channels. Channels that lie together in memory are read
// together, as many as the cache holds the rows of, but for what other threads need.
template <typename T>
struct Groups {
  Index blocks, count, all;
  Groups(const Map& map, Index rows, Index units, int threads, bool together) : all(map.channels) {
    const Index row = (map.width + std::min(map.kernel, 2 * map.width)) * kBytes;
    const Index most = (all + kLanes<T> - 1) / kLanes<T>, held = kCached / std::max<Index>(rows * row, 1);
    const Index left = threads == 1 ? most : most * units / (2 * threads);
    blocks = together ? std::max<Index>(1, std::min({held, most, left})) : 1;
    count = (most + blocks - 1) / blocks;
  }
  Index first(Index group) const { return group * blocks * kLanes<T>; }
  Index channels(Index group) const { return std::min(blocks * kLanes<T>, all - first(group)); }
};

// How rows are shared out where there are fewer units of work than threads need.
struct Spans {
  Index all, size, count;
  Spans(Index rows, Index units, int threads) : all(rows) {
    const Index wanted = units >= 2 * threads ? 1 : (2 * threads + units - 1) / std::max<Index>(units, 1);
    size = std::max<Index>(1, (rows + wanted - 1) / wanted);
    count = (rows + size - 1) / size;
  }
  Index first(Index span) const { return span * size; }
  Index end(Index span) const { return std::min(all, first(span) + size); }
};

// Those taps of the kernels of a block of channels; mirrored, the last first.
template <typename T>
void gather_kernels(Lanes<T>* to, const T* from, const Strides& strides, Index channels, const Taps& taps,
                    bool mirrored) {
  const Index sign = mirrored ? -1 : 1;
  const Strides steps{0, strides.channel, sign * strides.row, sign * strides.column};
  for (Index i = -taps.down; i <= taps.down; ++i, to += taps.columns()) {
    const T* first =
        from + (taps.half + sign * i) * strides.row + (taps.half - sign * taps.right) * strides.column;
    transpose_row<T, false>(const_cast<T*>(first), steps, channels, to, taps.count(), taps.columns());
  }
}

// The results of kColumns positions of a row: of `rows` × `columns` taps.
template <typename T, int kColumns>
void sum_columns(const Lanes<T>* taps, Index tap_pitch, typename Rows<T>::Walk sources, Index rows,
                 Index columns, Lanes<T>* to) {
  Lanes<T> totals[kColumns] = {};
  for (Index i = 0; i < rows; ++i, taps += tap_pitch) {
    const Lanes<T>* source = sources.next();
    for (Index j = 0; j < columns; ++j) {
      const Lanes<T> tap = taps[j];
#pragma GCC unroll 14
      for (int q = 0; q < kColumns; ++q) totals[q] += tap * source[j + q];
    }
  }
#pragma GCC unroll 14
  for (int q = 0; q < kColumns; ++q) to[q] = totals[q];
}

// A row of results of a block of channels.
template <typename T>
void sum_row(const Lanes<T>* kernels, const Taps& taps, const Rows<T>& sources, const Map& map, Index block,
             Index row, Lanes<T>* to) {
  const Index top = std::max(-taps.down, -row), bottom = std::min(taps.down, map.height - 1 - row);
  const Index tiles = (map.width + kMost - 1) / kMost;
  for (Index tile = 0; tile < tiles; ++tile) {
    const Index first = map.width * tile / tiles, end = map.width * (tile + 1) / tiles;
    const Index left = std::max(-taps.right, 1 - end), right = std::min(taps.right, map.width - 1 - first);
    const Lanes<T>* of_tile = kernels + (top + taps.down) * taps.columns() + left + taps.right;
    const typename Rows<T>::Walk walk(sources, block, row + top, first + left);
    with_count(end - first, [&](auto count) {
      sum_columns<T, count>(of_tile, taps.columns(), walk, bottom - top + 1, right - left + 1, to + first);
    });
  }
}

// y[p] = Σ_t k[t] · x[p + t], or with mirrored kernels.
template <typename T>
void sum(const T* k, const Strides& ks, const T* x, const Strides& xs, T* y, const Strides& ys,
         const Map& map, bool mirrored, int threads) {
  const Taps taps(map);
  const Index lines = std::min(map.height, 2 * taps.down + 1);
  const Groups<T> groups(map, lines, map.images, threads, xs.channel == 1);
  // Where there are fewer than threads need, the rows of a map are shared out.
  const Spans spans(map.height, groups.count * map.images, threads);
#pragma omp parallel num_threads(threads)
  {
    Rows<T> sources(groups.blocks, lines, map.width, taps.right);
    Buffer<T> kernels(groups.blocks * taps.count()), results(groups.blocks * map.width);
    const T* gathered = nullptr;
#pragma omp for collapse(3) schedule(static)
    for (Index group = 0; group < groups.count; ++group)
      for (Index image = 0; image < map.images; ++image)
        for (Index part = 0; part < spans.count; ++part) {
          const Index first = groups.first(group), channels = groups.channels(group);
          const Index top = spans.first(part), bottom = spans.end(part);
          const T* from = x + image * xs.image + first * xs.channel;
          const T* of_group = k + image * ks.image + first * ks.channel;
          if (of_group != gathered) gather_kernels(kernels.at(0), of_group, ks, channels, taps, mirrored);
          gathered = of_group;
          Index filled = std::max<Index>(0, top - taps.down);
          for (Index row = top; row < bottom; ++row) {
            const Index needed = std::min(map.height, row + taps.down + 1);
            sources.fill(from, xs, channels, filled, needed);
            filled = needed;
            for (Index block = 0; block * kLanes<T> < channels; ++block)
              sum_row(kernels.at(block * taps.count()), taps, sources, map, block, row,
                      results.at(block * map.width));
            T* to = y + image * ys.image + first * ys.channel + row * ys.row;
            transpose_row<T, true>(to, ys, channels, results.at(0), map.width, map.width);
          }
        }
  }
}

// kTaps taps of a row of the kernel, over `rows` × `columns` positions. Where taps are few, positions beside
// each other are summed apart, as each sum waits for itself.
template <typename T, int kTaps>
void multiply_taps(typename Rows<T>::Walk targets, typename Rows<T>::Walk sources, Index rows, Index columns,
                   Lanes<T>* to) {
  constexpr int kApart = std::clamp(kMost / kTaps, 1, kBehind + 1);
  Lanes<T> totals[kApart][kTaps] = {};
  for (Index row = 0; row < rows; ++row) {
    const Lanes<T>* target = targets.next();
    const Lanes<T>* source = sources.next();
    for (Index q = 0; q < columns; q += kApart)
#pragma GCC unroll 4
      for (int p = 0; p < kApart; ++p) {
        const Lanes<T> value = target[q + p];
#pragma GCC unroll 14
        for (int j = 0; j < kTaps; ++j) totals[p][j] += value * source[q + p + j];
      }
  }
  for (int p = 0; p < kApart; ++p)
    for (int j = 0; j < kTaps; ++j) to[j] += totals[p][j];
}

// A row of taps, i from −down, at the target rows from `first` to `end` that read the map with it.
template <typename T>
void multiply_row(const Rows<T>& targets, const Rows<T>& sources, const Taps& taps, const Map& map,
                  Index block, Index first, Index end, Index i, Lanes<T>* to) {
  first = std::max(first, -i), end = std::min(end, map.height - i);
  const Index parts = (taps.columns() + kMost - 1) / kMost;
  for (Index part = 0; part < parts && first < end; ++part) {
    const Index left = taps.columns() * part / parts, right = taps.columns() * (part + 1) / parts;
    const typename Rows<T>::Walk target(targets, block, first, 0),
        source(sources, block, first + i, left - taps.right);
    with_count(right - left, [&](auto count) {
      multiply_taps<T, count>(target, source, end - first, map.width, to + left);
    });
  }
}

// d[t] = Σ_p a[p] · x[p + t]; shared, over all images.
template <typename T>
void multiply(const T* a, const Strides& as, const T* x, const Strides& xs, T* d, const Strides& ds,
              const Map& map, bool shared, int threads) {
  const Taps taps(map);
  // Of short rows several at a time, so that sums are not put away after each.
  const Index wanted = kPositions / std::max<Index>(map.width, 1);
  const Index height = std::clamp<Index>(wanted, 1, std::max<Index>(map.height, 1));
  const Index lines = std::min(map.height, 2 * taps.down + height);
  const Index each = shared ? 1 : map.images;
  const Groups<T> groups(map, lines + height, each, threads, xs.channel == 1);
  // Where there are fewer than threads need, the rows of the kernels are shared out.
  const Spans spans(2 * taps.down + 1, groups.count * each, threads);
#pragma omp parallel num_threads(threads)
  {
    Rows<T> targets(groups.blocks, height, map.width, 0, kBehind);
    Rows<T> sources(groups.blocks, lines, map.width, taps.right, kBehind);
    const Index plane = spans.size * taps.columns();
    Buffer<T> results(groups.blocks * plane);
#pragma omp for collapse(3) schedule(static)
    for (Index group = 0; group < groups.count; ++group)
      for (Index unit = 0; unit < each; ++unit)
        for (Index part = 0; part < spans.count; ++part) {
          const Index first = groups.first(group), channels = groups.channels(group);
          const Index upper = spans.first(part) - taps.down, lower = spans.end(part) - taps.down;
          std::fill_n(results.at(0), groups.blocks * plane, Lanes<T>{});
          for (Index image = unit; image < (shared ? map.images : unit + 1); ++image) {
            const T* target = a + image * as.image + first * as.channel;
            const T* source = x + image * xs.image + first * xs.channel;
            Index filled = std::max<Index>(0, upper);
            for (Index top = 0; top < map.height; top += height) {
              const Index bottom = std::min(map.height, top + height);
              const Index needed = std::clamp(bottom + lower - 1, filled, map.height);
              targets.fill(target, as, channels, top, bottom);
              sources.fill(source, xs, channels, filled, needed);
              filled = needed;
              for (Index block = 0; block * kLanes<T> < channels; ++block)
                for (Index i = upper; i < lower; ++i) {
                  Lanes<T>* to = results.at(block * plane + (i - upper) * taps.columns());
                  multiply_row(targets, sources, taps, map, block, top, bottom, i, to);
                }
            }
          }
          T* to = d + unit * ds.image + first * ds.channel + (taps.half - taps.right) * ds.column;
          for (Index i = upper; i < lower; ++i)
            transpose_row<T, true>(to + (taps.half + i) * ds.row, ds, channels,
                                   results.at((i - upper) * taps.columns()), plane, taps.columns());
        }
  }
}

}  // namespace

#define MIXSPACE_FUNCTIONS(T, NAME)                                                                      \
  void sum_##NAME(const T* k, const Strides* ks, const T* x, const Strides* xs, T* y, const Strides* ys, \
                  const Map* map, int mirrored, int threads) {                                           \
    sum<T>(k, *ks, x, *xs, y, *ys, *map, mirrored != 0, threads);                                        \
  }                                                                                                      \
  void multiply_##NAME(const T* a, const Strides* as, const T* x, const Strides* xs, T* d,               \
                       const Strides* ds, const Map* map, int shared, int threads) {                     \
    multiply<T>(a, *as, x, *xs, d, *ds, *map, shared != 0, threads);                                     \
  }

extern "C" {
MIXSPACE_FUNCTIONS(float, float32)
MIXSPACE_FUNCTIONS(double, float64)
}
