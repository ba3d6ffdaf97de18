/* What the server sends, scene by scene. Written by `python -m dino_core.scenes.typescript`
   from the dataclasses of dino_core/scenes; a test says when it is out of date. Do not edit. */

export namespace attention {
  /** One layer: everything that a row of its attention follows from. */
  export interface LayerScene {
    /** float32 [A, N, d] */
    queries: Float32Array;
    /** float32 [A, N, d] */
    keys: Float32Array;
    facts: {
      layer: number;
      grid: [number, number];
      registers: number;
      /** 1 / sqrt(d), the factor of q . k before the softmax */
      scale: number;
    };
    shapes: {
      queries: [number, number, number];
      keys: [number, number, number];
    };
  }

  /** What one token attends to in one layer. */
  export interface QueryScene {
    /** float32 [A, h, w], the patch part of rows that sum to 1 */
    rows: Float32Array;
    facts: {
      layer: number;
      /** 0 is the class token */
      token: number;
      grid: [number, number];
    };
    shapes: {
      rows: [number, number, number];
    };
  }

  /** What one token attends to in all layers and heads. */
  export interface OverviewScene {
    /** float32 [T, A, h, w], the patch part of rows that sum to 1 */
    rows: Float32Array;
    /** float32 [T, A], nats, of the whole row */
    entropy: Float32Array;
    facts: {
      grid: [number, number];
      /** of the patch that asks, -1 for the class token */
      row: number;
      column: number;
      /** ln N */
      largest_entropy: number;
    };
    shapes: {
      rows: [number, number, number, number];
      entropy: [number, number];
    };
  }

  /** One layer's heads in numbers, over all queries. */
  export interface HeadsScene {
    /** float32 [A], nats, mean over all queries */
    entropy: Float32Array;
    /** float32 [A], px, mean distance of patches from where they look */
    distance: Float32Array;
    facts: {
      layer: number;
      /** ln N */
      largest_entropy: number;
    };
    shapes: {
      entropy: [number];
      distance: [number];
    };
  }

  /** Attention of the class token followed through all layers. */
  export interface RolloutScene {
    /** float32 [h, w] */
    rollout: Float32Array;
    facts: {
      grid: [number, number];
    };
    shapes: {
      rollout: [number, number];
    };
  }
}

export namespace comparison {
  /** One picture, twice. The foreground is the first one's, so that both PCAs see the same. */
  export interface ComparisonScene {
    /** uint8 [h, w, 3] */
    colours: Uint8Array;
    /** float32 [h, w, 3] */
    scores: Float32Array;
    /** uint8 [h', w', 3], in the first's order and signs */
    second_colours: Uint8Array;
    /** float32 [h', w', 3] */
    second_scores: Float32Array;
    facts: {
      layer: number;
      second_layer: number;
      preset: string;
      grid: [number, number];
      second_grid: [number, number];
      /** unbiased */
      cka: number;
      cka_biased: number;
      /** which component of the second stands for the first's red, green, blue */
      order: number[];
      /** 1, or -1 where it was turned */
      signs: number[];
      /** of the pairs over the foreground, 0 to 1 */
      correlation: number[];
      note: string;
    };
    shapes: {
      colours: [number, number, 3];
      scores: [number, number, 3];
      second_colours: [number, number, 3];
      second_scores: [number, number, 3];
    };
  }

  /** Every layer with every layer. */
  export interface LikenessScene {
    /** float32 [T, T'], unbiased CKA, at most 1 */
    cka: Float32Array;
    facts: {
      /** the table compares a model with itself */
      same: boolean;
    };
    shapes: {
      cka: [number, number];
    };
  }
}

export namespace crops {
  /** The crops in order: the global ones, then the local ones. n crops. */
  export interface CropsScene {
    /** n x uint8 [size, size, 3] */
    [name: `pixels.${number}`]: Uint8Array;
    /** float32 [n, n], share of the smaller box in per cent */
    overlaps: Float32Array;
    /** float32 [n, n], intersection over union in per cent */
    ious: Float32Array;
    facts: {
      /** (width, height) of the source, px */
      picture_size: [number, number];
      seed: number;
      /** "as run" or "as written" */
      blur: string;
      /** probability of blur under each of these names */
      blurs: Record<string, [number, number, number]>;
      patch_size: number;
      /** every number of the CropConfig that was used */
      config: {
        /** px */
        global_size: number;
        /** share of the picture's area, drawn evenly */
        global_scale: [number, number];
        /** 7 x 7 patches of 14 px; the official 96 px fits patch 16 only */
        local_size: number;
        /** share of the picture's area, drawn evenly */
        local_scale: [number, number];
        /** eight in the official recipe */
        local_count: number;
        /** width / height */
        aspect_ratio: [number, number];
        flip_probability: number;
        jitter_probability: number;
        /** factor drawn from [1 - 0.4, 1 + 0.4] */
        brightness: number;
        contrast: number;
        saturation: number;
        /** shift drawn from [-0.1, 0.1] of the colour circle */
        hue: number;
        grey_probability: number;
        blur_probability: [number, number, number];
        /** taps, odd */
        blur_kernel: number;
        /** px */
        blur_sigma: [number, number];
        solarize_probability: [number, number, number];
        /** values from here on are inverted */
        solarize_threshold: number;
      };
      /** and what it is when nothing is chosen */
      official: {
        /** px */
        global_size: number;
        /** share of the picture's area, drawn evenly */
        global_scale: [number, number];
        /** 7 x 7 patches of 14 px; the official 96 px fits patch 16 only */
        local_size: number;
        /** share of the picture's area, drawn evenly */
        local_scale: [number, number];
        /** eight in the official recipe */
        local_count: number;
        /** width / height */
        aspect_ratio: [number, number];
        flip_probability: number;
        jitter_probability: number;
        /** factor drawn from [1 - 0.4, 1 + 0.4] */
        brightness: number;
        contrast: number;
        saturation: number;
        /** shift drawn from [-0.1, 0.1] of the colour circle */
        hue: number;
        grey_probability: number;
        blur_probability: [number, number, number];
        /** taps, odd */
        blur_kernel: number;
        /** px */
        blur_sigma: [number, number];
        solarize_probability: [number, number, number];
        /** values from here on are inverted */
        solarize_threshold: number;
      };
      /** what its fields mean */
      help: Record<string, string>;
      /** how many crops there are of each kind */
      kinds: [number, number, number];
      /** of each operation */
      probabilities: Record<string, [number, number, number]>;
      /** in how many crops of each kind it did */
      fired: Record<string, [number, number, number]>;
      crops: {
        kind: "global" | "local";
        /** among the crops of its kind */
        index: number;
        /** px, a side of the finished crop */
        size: number;
        /** (width, height), px */
        picture_size: [number, number];
        /** x0, y0, x1, y1 in the picture, px */
        box: [number, number, number, number];
        /** of the picture, 0 to 1 */
        area_fraction: number;
        /** width / height */
        aspect: number;
        flipped: boolean;
        /** in their order */
        operations: {
          name: "brightness" | "contrast" | "saturation" | "hue" | "grey" | "blur" | "solarize";
          /** brightness, contrast, saturation */
          factor?: number;
          /** hue, in turns */
          shift?: number;
          /** blur, px */
          sigma?: number;
          /** solarize, of 256 */
          threshold?: number;
        }[];
      }[];
      colours: [number, number, number][];
    };
    shapes: {
      [name: `pixels.${number}`]: [number, number, 3];
      overlaps: [number, number];
      ious: [number, number];
    };
  }

  /** The decisions of many draws on the same picture: that of the seed, and the seeds after it. */
  export interface CropDrawsScene {
    /** float32 [AREA_BARS + 1], share of the picture */
    area_edges: Float32Array;
    /** int32 [AREA_BARS] */
    area_global: Int32Array;
    /** int32 [AREA_BARS] */
    area_local: Int32Array;
    /** float32 [BARS + 1], width / height, evenly spaced in its logarithm */
    aspect_edges: Float32Array;
    /** int32 [BARS], what rounding takes over an end counted at that end */
    aspect_global: Int32Array;
    /** int32 [BARS] */
    aspect_local: Int32Array;
    facts: {
      draws: number;
      /** in what share of the crops an operation fired */
      rates: Record<string, [number, number, number]>;
    };
    shapes: {
      area_edges: [number];
      area_global: [number];
      area_local: [number];
      aspect_edges: [number];
      aspect_global: [number];
      aspect_local: [number];
    };
  }
}

export namespace depth {
  /** Every layer's PCA, one foreground for all, each brought to the layer that follows it. */
  export interface DepthScene {
    /** uint8 [T, h, w, 3], background black */
    colours: Uint8Array;
    /** uint8 [h, w], 1 where foreground */
    foreground: Uint8Array;
    facts: {
      preset: string;
      /** rotation, order, signs, joint or none */
      method: string;
      /** whether patches of unusual length have no say */
      robust: boolean;
      flip: boolean;
      grid: [number, number];
      /** of each layer's scores with those it was brought to; 1 for the last */
      cosine: number[];
      /** share of the layer's variance over the foreground that is shown */
      variance: number[];
      /** the share that its own first three components hold */
      best: number[];
      /** |correlation| of its first component with the family's */
      agreement: number[];
      note: string;
    };
    shapes: {
      colours: [number, number, number, 3];
      foreground: [number, number];
    };
  }

  /** k-means of every layer, numbered after the layer that follows it. */
  export interface DepthClustersScene {
    /** int32 [T, h, w] */
    labels: Int32Array;
    facts: {
      k: number;
      seed: number;
      grid: [number, number];
      /** share of patches that keep the number of the layer that follows */
      kept: number[];
      colours: [number, number, number][];
    };
    shapes: {
      labels: [number, number, number];
    };
  }

  /** What one token attends to, layer after layer. */
  export interface DepthAttentionScene {
    /** float32 [T, h, w], the patch part of rows that sum to 1 */
    attention: Float32Array;
    facts: {
      /** of the patch that asks, -1 for the class token */
      row: number;
      column: number;
      /** -1 for the mean of all heads */
      head: number;
      grid: [number, number];
    };
    shapes: {
      attention: [number, number, number];
    };
  }
}

export namespace features {
  /** The PCA of one layer's patch features, alone or together with a second picture's. */
  export interface FeaturesScene {
    /** uint8 [h, w, 3], background black */
    colours: Uint8Array;
    /** uint8 [h, w], 1 where foreground */
    foreground: Uint8Array;
    /** float32 [h, w, 3], the projection on the components shown */
    scores: Float32Array;
    /** float32 [COMPONENTS], share of the variance that each component explains */
    ratio: Float32Array;
    /** uint8 [h', w', 3] */
    second_colours?: Uint8Array;
    /** uint8 [h', w'] */
    second_foreground?: Uint8Array;
    /** float32 [h', w', 3] */
    second_scores?: Float32Array;
    facts: {
      layer: number;
      preset: string;
      /** the fields of PCAConfig as they were used */
      config: {
        foreground: boolean;
        /** of the first component, in units of its standard deviation */
        threshold: number;
        /** the other side of the first component is the foreground */
        flip: boolean;
        /** 3 x 3 median of the foreground score before the threshold */
        median: boolean;
        /** components in units of their standard deviation */
        whiten: boolean;
        /** sigmoid: of 2 x, for whitened components */
        colours: "minmax" | "sigmoid";
        /** shown as red, green, blue */
        components: [number, number, number];
        /** px, the size the recipe was published with */
        short_side: number | null;
      };
      grid: [number, number];
      note: string;
      second_grid: [number, number] | null;
    };
    shapes: {
      colours: [number, number, 3];
      foreground: [number, number];
      scores: [number, number, 3];
      ratio: [number];
      second_colours?: [number, number, 3];
      second_foreground?: [number, number];
      second_scores?: [number, number, 3];
    };
  }

  /** One layer's patch features of length 1: their dot products are cosine similarities. */
  export interface PatchesScene {
    /** float32 [P, D] */
    directions: Float32Array;
    facts: {
      layer: number;
      grid: [number, number];
    };
    shapes: {
      directions: [number, number];
    };
  }

  /** k-means of one layer's patch features of length 1; cluster 0 is the largest. */
  export interface ClustersScene {
    /** int32 [h, w] */
    labels: Int32Array;
    facts: {
      layer: number;
      k: number;
      seed: number;
      grid: [number, number];
      /** patches; fewer than k entries when there are fewer different features */
      sizes: number[];
      colours: [number, number, number][];
      /** share of the variance between clusters, 0 to 1 */
      explained: number;
    };
    shapes: {
      labels: [number, number];
    };
  }

  /** One layer's patches as points in a plane, from their features of length 1. */
  export interface MapScene {
    /** float32 [P, 2] */
    points: Float32Array;
    facts: {
      layer: number;
      /** "pca" or "umap" */
      method: string;
      parameters: {
        /** share of the variance */
        ratio?: number[];
        neighbours?: number;
        min_distance?: number;
        seed?: number;
      };
      grid: [number, number];
    };
    shapes: {
      points: [number, 2];
    };
  }
}

export namespace gallery {
  /** The pictures, and what they were seen with. -1 and "" stand for no label and no split. */
  export interface Gallery {
    /** int32 [n], index into classes */
    labels: Int32Array;
    facts: {
      /** as in the folder or zip, with / between folders; [] of a large gallery */
      names: string[];
      classes: string[];
      /** "train", "test" or "" of each picture; [] of a large gallery */
      splits: string[];
      layers: number;
      dim: number;
      /** (h, w) patches of every picture: the middle square of it */
      grid: [number, number];
      /** `similar_patches` knows this many pictures, the first ones */
      patch_pictures: number;
      /** name */
      model: string;
      /** of the weights, in honest words */
      title: string;
      /** of these weights, in a sentence; "" for a file of a person's own */
      known: string;
      official: boolean;
      /** px */
      size: number;
      /** pictures */
      count: number;
      /** files of TILES_A_SIDE x TILES_A_SIDE thumbnails of TILE px */
      atlases: number;
      tile: number;
      /** picture i: atlas i // columns**2, then row by row */
      columns: number;
      /** names, points and thumbnails come in parts, see `gallery_parts` */
      large: boolean;
    };
    shapes: {
      labels: [number];
    };
  }

  /** A map in two dimensions, turned and mirrored so that points move little between maps. */
  export interface Points {
    /** float32 [n, 2], in -1 to 1, y upwards */
    xy: Float32Array;
    facts: {
      features: string;
      layer: number;
      method: string;
      facts: {
        /** by their names in words */
        parameters: Record<string, number | string>;
        /** None: there is no chance in it */
        seed: number | null;
        /** PCA: share of the variance along x and y, before turning */
        explained: number[] | null;
        /** 0 to 1: are the 10 nearest in the map near in the features */
        trustworthiness: number | null;
        /** of the graph that the map of a large gallery was made from */
        recall?: {
          /** 0 to 1 */
          value: number;
          /** for which exact search was asked as well */
          queries: number;
          /** nearest of each */
          k: number;
          /** the same in a sentence */
          words: string;
        };
        /** it took */
        seconds: number;
        /** what distances in such a map do not mean */
        words: string;
      };
    };
    shapes: {
      xy: [number, 2];
    };
  }
}

export namespace gallery_parts {
  /** Every so many-th point of a map: each part alone is a thin picture of the whole. */
  export interface Part {
    /** float32 [m, 2], of the pictures part, part + parts, part + 2 parts, ... */
    xy: Float32Array;
    facts: {
      part: number;
      parts: number;
      /** pictures in all */
      count: number;
      features: string;
      layer: number;
      method: string;
      facts: {
        /** by their names in words */
        parameters: Record<string, number | string>;
        /** None: there is no chance in it */
        seed: number | null;
        /** PCA: share of the variance along x and y, before turning */
        explained: number[] | null;
        /** 0 to 1: are the 10 nearest in the map near in the features */
        trustworthiness: number | null;
        /** of the graph that the map of a large gallery was made from */
        recall?: {
          /** 0 to 1 */
          value: number;
          /** for which exact search was asked as well */
          queries: number;
          /** nearest of each */
          k: number;
          /** the same in a sentence */
          words: string;
        };
        /** it took */
        seconds: number;
        /** what distances in such a map do not mean */
        words: string;
      };
    };
    shapes: {
      xy: [number, 2];
    };
  }

  /** The pictures with a text in their name or class. */
  export interface Found {
    /** int32 [m], ascending */
    indices: Int32Array;
    facts: {};
    shapes: {
      indices: [number];
    };
  }
}

export namespace gallery_probes {
  /** How well simple classifiers do on frozen features. NaN: not computed yet. */
  export interface Probe {
    /** float32 [T, 3, 2]: layer; kind as in KINDS; knn, logistic. 0 to 1 */
    accuracy: Float32Array;
    /** float32 [T, 3, 2], 95 % Wilson interval */
    low: Float32Array;
    /** float32 [T, 3, 2] */
    high: Float32Array;
    facts: {
      /** the share of the commonest class: what a constant answer scores */
      chance: number;
      /** judged */
      pictures: number;
      /** False while layers are still to come */
      complete: boolean;
      /** how it was judged: the given test pictures, or so many folds */
      words: string;
      kinds: string[];
      methods: string[];
    };
    shapes: {
      accuracy: [number, 3, 2];
      low: [number, 3, 2];
      high: [number, 3, 2];
    };
  }

  /** What a probe says of each picture, fitted without it. -1: not judged (it was learned from, or has no label). */
  export interface Predictions {
    /** int32 [n], index into the gallery's classes */
    labels: Int32Array;
    /** float32 [n], 0 to 1, of that label; 0 where not judged */
    confidence: Float32Array;
    /** int32 [m], indices of wrong ones, the most confident first */
    mistakes: Int32Array;
    facts: {
      words: string;
    };
    shapes: {
      labels: [number];
      confidence: [number];
      mistakes: [number];
    };
  }
}

export namespace gallery_similarity {
  /** The largest cluster is 0. -1: noise, in no cluster (HDBSCAN only). */
  export interface Clusters {
    /** int32 [n] */
    labels: Int32Array;
    facts: {
      sizes: number[];
      method: string;
      facts: {
        /** by their names in words */
        parameters: Record<string, number | string>;
        /** None: there is no chance in it */
        seed: number | null;
        /** k-means: share of the variance between clusters */
        explained?: number;
        /** HDBSCAN: pictures in no cluster */
        noise?: number;
        /** adjusted Rand index with the classes; None without labels */
        agreement: number | null;
        words: string;
      };
    };
    shapes: {
      labels: [number];
    };
  }

  /** The nearest pictures by cosine similarity, the nearest first, without the picture itself. */
  export interface Neighbours {
    /** int32 [k] */
    indices: Int32Array;
    /** float32 [k], -1 to 1 */
    similarities: Float32Array;
    facts: {
      /** class and its share of the k-NN vote, the largest first */
      votes: [string, number][];
      /** a neighbour votes for its class with exp(similarity / temperature) */
      temperature: number;
      /** of a large gallery: how they were found */
      words: string;
    };
    shapes: {
      indices: [number];
      similarities: [number];
    };
  }

  /** The most similar patches of all pictures, the most similar first. */
  export interface Patches {
    /** int32 [k], picture */
    indices: Int32Array;
    /** int32 [k], patch row */
    rows: Int32Array;
    /** int32 [k] */
    columns: Int32Array;
    /** float32 [k], cosine */
    similarities: Float32Array;
    facts: {
      /** pictures whose patches are kept */
      searched: number;
      total: number;
      /** the limit, where there is one; "" when all were searched */
      words: string;
    };
    shapes: {
      indices: [number];
      rows: [number];
      columns: [number];
      similarities: [number];
    };
  }

  /** How far each picture is from its nearest ones. */
  export interface Outliers {
    /** float32 [n], mean of 1 - cosine similarity over the k nearest, 0 to 2 */
    scores: Float32Array;
    /** int32 [n], the oddest first */
    order: Int32Array;
    facts: {
      k: number;
      /** of a large gallery: how they were found */
      words: string;
    };
    shapes: {
      scores: [number];
      order: [number];
    };
  }

  /** Pairs of pictures that are all but the same, the most similar first. */
  export interface Duplicates {
    /** int32 [m, 2], the smaller index first */
    pairs: Int32Array;
    /** float32 [m], cosine */
    similarities: Float32Array;
    /** bool [m], the same pixels to the last */
    same: Uint8Array;
    facts: {
      threshold: number;
      /** where there are more than were kept; "" otherwise */
      words: string;
    };
    shapes: {
      pairs: [number, 2];
      similarities: [number];
      same: [number];
    };
  }
}

export namespace losses {
  /** One picture's losses. Cross-entropies and entropies are in nats; M masked patches. */
  export interface LossesScene {
    /** uint8 [size, size, 3] of each crop */
    [name: `pixels.${number}`]: Uint8Array;
    /** float32 [2 + L, 2] */
    dino: Float32Array;
    /** float32 [2] */
    teacher_entropy: Float32Array;
    /** float32 [2 + L] */
    student_entropy: Float32Array;
    /** int32 [k] */
    columns: Int32Array;
    /** float32 [2, k] */
    teacher: Float32Array;
    /** float32 [2 + L, k] */
    student: Float32Array;
    /** int32 [k, EXAMPLES, 2]: reference, crop */
    examples: Int32Array;
    /** uint8 [h, w] */
    mask: Uint8Array;
    /** float32 [M], in reading order of the masked patches */
    ibot: Float32Array;
    /** float32 [M] of the teacher's targets */
    patch_entropy: Float32Array;
    /** int32 [k'] */
    patch_columns: Int32Array;
    /** float32 [M, k'] */
    teacher_patches: Float32Array;
    /** float32 [M, k'] */
    student_patches: Float32Array;
    /** int32 [k', EXAMPLES, 2]: reference, crop * P + patch */
    patch_examples: Int32Array;
    facts: {
      title: string;
      file: string;
      seed: number;
      /** of the teacher */
      temperature: number;
      student_temperature: number;
      targets_by: string;
      recipe: {
        targets: string;
        /** of the teacher */
        temperature: number;
        student_temperature: number;
      };
      /** the pair's own, and not those of the crops' screen */
      own_crops: boolean;
      /** K of the DINO and of the iBOT head */
      prototypes: [number, number];
      /** widths on the way through the DINO head: token, layers, sphere; then K */
      head: number[];
      /** patches go through the DINO head too */
      shared: boolean;
      grid: [number, number];
      crops: {
        name: string;
        /** px */
        size: number;
        kind: "global" | "local";
      }[];
      colours: [number, number, number][];
      references: {
        file: string;
        title: string;
        /** of the sheet */
        column: number;
        /** of the student's global crops */
        distances: [number, number];
      }[];
      columns_of_sheet: number;
      /** weights included: they add up to the loss */
      terms: Record<string, number>;
      uniform: Record<string, number>;
      weights: Record<string, number>;
      koleo: number[];
      ibot_mean: number;
    };
    shapes: {
      [name: `pixels.${number}`]: [number, number, 3];
      dino: [number, 2];
      teacher_entropy: [2];
      student_entropy: [number];
      columns: [number];
      teacher: [2, number];
      student: [number, number];
      examples: [number, number, 2];
      mask: [number, number];
      ibot: [number];
      patch_entropy: [number];
      patch_columns: [number];
      teacher_patches: [number, number];
      student_patches: [number, number];
      patch_examples: [number, number, 2];
    };
  }

  /** What a person chose; temperatures of None are those that the pair was trained with. */
  export interface Chosen {
    targets: string | null;
    /** of the teacher */
    temperature: number | null;
    student_temperature: number | null;
  }
}

export namespace masks {
  /** One mask on the first global crop of the seed, plain random masking, and a batch. */
  export interface MasksScene {
    /** uint8 [224, 224, 3], the crop */
    pixels: Uint8Array;
    /** uint8 [h, w], 1 where hidden */
    mask: Uint8Array;
    /** uint8 [h, w], as many patches, each on its own */
    random_mask: Uint8Array;
    /** int32 [target + 1], how often each number of patches was achieved */
    histogram: Int32Array;
    /** int32 [most blocks + 1], how often it took so many blocks */
    block_histogram: Int32Array;
    /** float32 [h, w], how often each patch was hidden */
    hidden_share: Float32Array;
    /** uint8 [2 * BATCH, h, w] */
    batch: Uint8Array;
    /** uint8 [2 * BATCH, h, w], as many patches each */
    batch_random: Uint8Array;
    facts: {
      seed: number;
      ratio: number;
      grid: [number, number];
      patch_size: number;
      /** every number of the MaskConfig */
      config: {
        /** share of the global crops of a batch that are masked at all */
        probability: number;
        /** masked share of a masked crop's patches */
        ratio: [number, number];
        /** patches */
        min_block: number;
        /** no block takes more of the grid than this */
        max_fraction: number;
        /** height / width of a block */
        aspect_ratio: [number, number];
        /** draws for one block before the mask is called done */
        tries: number;
        /** scattered: as many patches, one as likely as another */
        shape: "blocks" | "scattered";
        /** without it nothing is masked: distillation */
        hide: boolean;
      };
      /** what its fields mean */
      help: Record<string, string>;
      /** patches */
      target: number;
      achieved: number;
      /** tries that were not kept */
      rejected: number;
      /** top, left, height, width, new patches; in the order drawn */
      blocks: number[][];
      /** visible ones of a hidden patch, block and random: mean of 0-4 */
      neighbours: [number, number];
      /** behind the next three */
      draws: number;
      batch_masks: {
        /** patches; 0: not masked at all */
        target: number;
        achieved: number;
        /** tries that were not kept */
        rejected: number;
        /** top, left, height, width, new patches */
        blocks: [number, number, number, number, number][];
        /** visible ones of a hidden patch, block and random: mean of 0-4 */
        neighbours: [number, number];
      }[];
    };
    shapes: {
      pixels: [224, 224, 3];
      mask: [number, number];
      random_mask: [number, number];
      histogram: [number];
      block_histogram: [number];
      hidden_share: [number, number];
      batch: [number, number, number];
      batch_random: [number, number, number];
    };
  }
}

export namespace matching {
  /** Best matches by cosine similarity, both ways. */
  export interface MatchesScene {
    /** int32 [P], the best patch of the second picture */
    forward: Int32Array;
    /** float32 [P] */
    forward_similarity: Float32Array;
    /** int32 [P'], the best patch of the first picture */
    backward: Int32Array;
    /** float32 [P'] */
    backward_similarity: Float32Array;
    /** uint8 [P], 1 where the best match of the best match is the patch itself */
    mutual: Uint8Array;
    /** int32 [n], patches of the first picture to draw from, the best first */
    lines: Int32Array;
    facts: {
      layer: number;
      grid: [number, number];
      second_grid: [number, number];
      /** mutual nearest neighbours */
      count: number;
      /** patches, of the suppression */
      radius: number;
      /** whether lines start and end on the foreground only */
      foreground: boolean;
    };
    shapes: {
      forward: [number];
      forward_similarity: [number];
      backward: [number];
      backward_similarity: [number];
      mutual: [number];
      lines: [number];
    };
  }
}

export namespace models {
  /** One line of the list of models. */
  export interface ModelChoice {
    name: string;
    label: string;
    on_disk: boolean;
  }
}

export namespace picture {
  /** What is known of the open picture. Sizes are (width, height) in pixels. */
  export interface PictureScene {
    source_size: [number, number];
    input_size: [number, number];
    /** (h, w) patches */
    grid: [number, number];
    patch_size: number;
    /** px asked for; the sides are then rounded to whole patches */
    short_side: number;
    layers: number;
    heads: number;
    registers: number;
    dim: number;
    /** what was done otherwise than asked for; empty when nothing */
    note: string;
  }
}

export namespace predicting {
  /** The likeliest classes of one picture, the first first; k of them. */
  export interface PredictScene {
    /** [H, W, 3] uint8, the middle square that the model is given */
    picture: Uint8Array;
    /** [k, h, w] float32, what each patch adds to the logit */
    patches: Float32Array;
    facts: {
      classes: string[];
      probabilities: number[];
      /** = bias + class token + sum of the patches */
      logits: number[];
      class_token: number[];
      bias: number[];
      nearest: {
        /** among the training pictures */
        index: number;
        label: string;
        cosine: number;
      }[];
      grid: [number, number];
      /** why no training pictures are named; "" where they are */
      without: string;
      /** what a classifier reads that was brought, in a sentence; "" of a run */
      reads: string;
      /** whether it reads the mean of the patches, which then have shares */
      by_patches: boolean;
    };
    shapes: {
      picture: [number, number, 3];
      patches: [number, number, number];
    };
  }
}

export namespace probes {
  /** What the backbone of one milestone made of the chosen pictures. */
  export interface ProbeScene {
    /** [n, H, W, 3] uint8 */
    pictures: Uint8Array;
    /** [n, A, h, w] float32, last block, class token's row */
    attention: Float32Array;
    /** [n, h, w, 3] uint8 */
    pca: Uint8Array;
    facts: {
      moment: string;
      names: string[];
      grid: [number, number];
      heads: number;
      /** the moment whose colours these are; "" for colours of its own */
      home: string;
    };
    shapes: {
      pictures: [number, number, number, 3];
      attention: [number, number, number, number];
      pca: [number, number, number, 3];
    };
  }
}

export namespace similarity {
  /** Cosines of one layer's patch features with those of one patch. */
  export interface SimilarityScene {
    /** float32 [h, w], -1 to 1 */
    similarity: Float32Array;
    facts: {
      layer: number;
      /** of the patch that is asked about, in its own picture */
      row: number;
      column: number;
      /** of the picture that is shown */
      grid: [number, number];
    };
    shapes: {
      similarity: [number, number];
    };
  }
}

export namespace step {
  /** One recorded step. Losses are in nats, lengths Euclidean; n layers, m losses, B pictures. */
  export interface StepScene {
    /** uint8 [size, size, 3] of each crop */
    [name: `pixels.${number}`]: Uint8Array;
    /** uint8 [2, h, w] of the picture's global crops */
    masks: Uint8Array;
    /** float32 [2, h, w]; -1 where nothing is hidden */
    ibot: Float32Array;
    /** float32 [2 + L, 2] of the picture; a crop with itself does not count */
    dino: Float32Array;
    /** int32 [k] prototypes that stand out */
    columns: Int32Array;
    /** float32 [2, k] logits */
    teacher: Float32Array;
    /** float32 [2, k] */
    targets: Float32Array;
    /** float32 [2 + L, k] probabilities */
    student: Float32Array;
    /** float32 [n] before clipping */
    gradient_norms: Float32Array;
    /** float32 [n, m] of each loss alone */
    term_norms: Float32Array;
    /** float32 [n, m] rows add up to 1; below 0 against the sum */
    shares: Float32Array;
    /** float32 [m, m] between the losses' gradients */
    cosines: Float32Array;
    /** float32 [n] of the student's weights */
    weight_norms: Float32Array;
    /** float32 [n] */
    student_moved: Float32Array;
    /** float32 [n] */
    teacher_moved: Float32Array;
    /** float32 [n] of teacher - student behind the step */
    apart: Float32Array;
    facts: {
      title: string;
      file: string;
      seed: number;
      /** of the step in its row, counted from 0 */
      number: number;
      /** B */
      pictures: number;
      companions: {
        file: string;
        title: string;
      }[];
      /** K of the DINO and of the iBOT head */
      prototypes: [number, number];
      /** patches of a global crop */
      grid: [number, number];
      crops: {
        name: string;
        /** px */
        size: number;
        kind: "global" | "local";
      }[];
      colours: [number, number, number][];
      /** global crops of the batch that have a mask */
      masked_crops: number;
      targets_by: string;
      student_temperature: number;
      values: {
        learning_rate: number;
        /** of the prototypes */
        last_layer_learning_rate: number;
        weight_decay: number;
        /** of the teacher */
        momentum: number;
        teacher_temperature: number;
      };
      /** of dino, ibot and koleo */
      weights: Record<string, number>;
      clip: number | null;
      /** the learning rate that nobody has changed */
      trained_rate: number;
      trained_temperature: number;
      functions: {
        name: string;
        file: string;
        /** line of the file, counted from 1 */
        first: number;
        lines: string[];
        /** first and last line of it */
        docstring: [number, number] | null;
      }[];
      visits: {
        /** whose lines it is among */
        function: number;
        /** lines of the file */
        first: number;
        last: number;
        /** 0 in the step itself */
        depth: number;
        /** function and line, the outermost first */
        callers: [number, number][];
        /** what is drawn beside it, one of `step.VIEWS` */
        view: string;
        values: {
          /** with the way to it: losses.terms.ibot */
          name: string;
          kind: "tensor" | "number" | "text";
          /** of a text */
          text: string;
          /** of a number */
          number: number | null;
          /** of a tensor, as the rest */
          shape: number[];
          low: number | null;
          high: number | null;
          mean: number | null;
        }[];
      }[];
      /** the losses with their weights, by name */
      before: Record<string, number>;
      /** the same crops and targets behind the step */
      after: Record<string, number>;
      /** of the gradients of backbone and heads, before clipping */
      norms: Record<string, number>;
      /** what they were multiplied by */
      kept: Record<string, number>;
      terms: string[];
      layers: string[];
      /** of the picture, a number for each global crop; none without KoLeo */
      koleo: number[];
    };
    shapes: {
      [name: `pixels.${number}`]: [number, number, 3];
      masks: [2, number, number];
      ibot: [2, number, number];
      dino: [number, 2];
      columns: [number];
      teacher: [2, number];
      targets: [2, number];
      student: [number, number];
      gradient_norms: [number];
      term_norms: [number, number];
      shares: [number, number];
      cosines: [number, number];
      weight_norms: [number];
      student_moved: [number];
      teacher_moved: [number];
      apart: [number];
    };
  }
}

export namespace strip {
  /** What the thumbnails show; the last layer where a layer is to be chosen. */
  export interface StripScene {
    /** uint8 [THUMBNAIL, THUMBNAIL, 3], global crop 1 */
    crop: Uint8Array;
    /** uint8 [16, 16], on that crop */
    mask: Uint8Array;
    /** float32 [h, w], lengths of the patch tokens that leave the last block */
    norms: Float32Array;
    /** float32 [h, w], the class token's, mean over heads */
    attention: Float32Array;
    /** uint8 [h, w, 3] */
    features: Uint8Array;
    facts: {
      /** (width, height) of the source, px */
      picture_size: [number, number];
      /** of the crops, in source pixels */
      boxes: [number, number, number, number][];
      /** of the crops */
      colours: [number, number, number][];
    };
    shapes: {
      crop: [number, number, 3];
      mask: [16, 16];
      norms: [number, number];
      attention: [number, number];
      features: [number, number, 3];
    };
  }
}

export namespace tokens {
  /** One way to bring the picture to whole patches. Sizes are (width, height), px. */
  export interface FitFacts {
    how: "resize" | "pad" | "crop";
    /** None: this way does not work for this picture */
    input_size: [number, number] | null;
    /** (h, w) */
    grid: [number, number] | null;
    /** along x and y: input = source * scale + offset */
    scale: [number, number];
    offset: [number, number];
    words: string;
  }

  /** The picture in patches, and the filters that make a vector of each. */
  export interface PatchesScene {
    /** uint8 [H, W, 3] what the model is given, before normalisation */
    pixels: Uint8Array;
    /** float32 [D, 3, p, p] */
    filters: Float32Array;
    /** float32 [D] */
    bias: Float32Array;
    /** float32 [k, 3, p, p], orthonormal when flattened */
    components: Float32Array;
    /** float32 [k], share of the filters' variance */
    ratio: Float32Array;
    /** float32 [P], of filters . pixels + bias */
    embedding_norms: Float32Array;
    /** float32 [P] */
    position_norms: Float32Array;
    /** float32 [P], of the sum of both, which enters the first block */
    token_norms: Float32Array;
    facts: {
      grid: [number, number];
      patch_size: number;
      source_size: [number, number];
      input_size: [number, number];
      /** rows and columns of the learned positions */
      learned_grid: [number, number];
      /** the first is the one in use */
      fits: {
        how: "resize" | "pad" | "crop";
        /** None: this way does not work for this picture */
        input_size: [number, number] | null;
        /** (h, w) */
        grid: [number, number] | null;
        /** along x and y: input = source * scale + offset */
        scale: [number, number];
        offset: [number, number];
        words: string;
      }[];
      /** of the normalisation (pixel / 255 - mean) / std */
      mean: number[];
      std: number[];
    };
    shapes: {
      pixels: [number, number, 3];
      filters: [number, 3, number, number];
      bias: [number];
      components: [number, 3, number, number];
      ratio: [number];
      embedding_norms: [number];
      position_norms: [number];
      token_norms: [number];
    };
  }

  /** Position embeddings of length 1: their dot products are cosine similarities. */
  export interface PositionsScene {
    /** float32 [h], which learned row each row of patches looks at */
    rows: Float32Array;
    /** float32 [w] */
    columns: Float32Array;
    /** float32 [r * c, D] */
    learned: Float32Array;
    /** float32 [P, D] */
    given: Float32Array;
    /** float32 [r * c] */
    learned_norms: Float32Array;
    /** float32 [P] */
    given_norms: Float32Array;
    facts: {
      /** rows and columns of the learned positions */
      learned_grid: [number, number];
      grid: [number, number];
      /** the grid is the learned one: nothing was interpolated */
      untouched: boolean;
      offset: number;
      antialias: boolean;
      /** down and across: (h + offset) / r, (w + offset) / c */
      scale: [number, number];
      /** mean relative change of the positions by the offset */
      effect: number;
    };
    shapes: {
      rows: [number];
      columns: [number];
      learned: [number, number];
      given: [number, number];
      learned_norms: [number];
      given_norms: [number];
    };
  }

  /** The walk through the blocks. Step 0 enters the first block, step l + 1 leaves block l. */
  export interface BlocksScene {
    /** float32 [T + 1, N] */
    norms: Float32Array;
    /** float32 [T, 2, N], attention's and the MLP's, relative to what enters */
    updates: Float32Array;
    /** float32 [T + 1], of the patches' norms */
    median: Float32Array;
    /** float32 [T + 1] */
    sigma: Float32Array;
    /** float32 [T + 1] */
    threshold: Float32Array;
    /** float32 [T + 1, P, 4], cosines above, right, below, left; NaN outside */
    neighbours: Float32Array;
    /** float32 [P, 4], the same before positions were added */
    embedding_neighbours: Float32Array;
    /** float32 [T + 1, R], with the class token */
    register_cosines: Float32Array;
    facts: {
      grid: [number, number];
      registers: number;
      /** an outlier's norm is above median + sigmas * 1.4826 MAD */
      sigmas: number;
      steps: {
        part: "before" | "block" | "after";
        name: string;
        shape: number[];
      }[];
    };
    shapes: {
      norms: [number, number];
      updates: [number, 2, number];
      median: [number];
      sigma: [number];
      threshold: [number];
      neighbours: [number, number, 4];
      embedding_neighbours: [number, 4];
      register_cosines: [number, number];
    };
  }
}

export namespace tray {
  /** What is shown of the pictures: columns, and what they have in common. */
  export interface ChosenTray {
    columns: {
      view: "input" | "pca" | "attention" | "similar" | "clusters" | "norms" | "difference";
      layer: number;
      /** of attention; None: the mean of all */
      head: number | null;
      /** a patch; None: the class token, of attention */
      query: [number, number] | null;
      /** whose patch it is */
      picture: number;
      model: number;
    }[];
    settings: {
      config: {
        foreground: boolean;
        /** of the first component, in units of its standard deviation */
        threshold: number;
        /** the other side of the first component is the foreground */
        flip: boolean;
        /** 3 x 3 median of the foreground score before the threshold */
        median: boolean;
        /** components in units of their standard deviation */
        whiten: boolean;
        /** sigmoid: of 2 x, for whitened components */
        colours: "minmax" | "sigmoid";
        /** shown as red, green, blue */
        components: [number, number, number];
        /** px, the size the recipe was published with */
        short_side: number | null;
      };
      /** how PCA of other layers and models comes to the first one's */
      method: "rotation" | "order" | "signs" | "joint" | "none";
      /** patches whose length stands out have no say in the PCA */
      robust: boolean;
      /** clusters */
      k: number;
      /** of the clusters */
      seed: number;
    };
    /** the same settings as options of the command */
    options: string[];
  }

  /** Maps column by column, and in each row by row, one after the other in two flat arrays. */
  export interface TrayScene {
    /** uint8 [n, 3] of all maps of colours, one after the other */
    colours: Uint8Array;
    /** float32 [m] of all maps of numbers, and clusters as numbers */
    values: Float32Array;
    facts: {
      /** by number, as they are said */
      models: string[];
      /** h, w of each row in model 0 */
      grids: number[][];
      columns: {
        /** as in the command */
        word: string;
        view: string;
        /** from 0 */
        layer: number;
        head: number | null;
        /** row, column of a patch of `picture` */
        query: number[] | null;
        /** a row */
        picture: number;
        model: number;
        /** of all rows together */
        limits: number[] | null;
        /** the patch that was asked, in each picture */
        marks: (number[] | null)[];
        /** one for each row; empty for the pictures themselves */
        numbers: number[];
        /** what the numbers are */
        says: string;
        note: string;
      }[];
      /** of each column: 0 picture, 1 colours, 2 values; where it begins */
      places: number[][];
      /** of each column, h and w of each row */
      shapes_of: number[][][];
      /** RGB by number */
      cluster_colours: number[][];
    };
    shapes: {
      colours: [number, 3];
      values: [number];
    };
  }
}

export namespace update {
  /** The scheduled values at some steps [n] of a run. */
  export interface ScheduleScene {
    /** [n] int32, counted from 0 */
    steps: Int32Array;
    /** [n] float32 */
    learning_rate: Float32Array;
    /** [n] float32 */
    last_layer_learning_rate: Float32Array;
    /** [n] float32 */
    weight_decay: Float32Array;
    /** [n] float32, of the teacher's average */
    momentum: Float32Array;
    /** [n] float32 */
    teacher_temperature: Float32Array;
    facts: {
      preset: string;
      words: string;
      total: number;
      batch: number;
      /** steps */
      warmup: number;
      /** steps in which the prototypes stand still */
      frozen: number;
      temperature_warmup: number;
      peak: number;
      config: {
        epochs: number;
        /** steps */
        epoch_length: number;
        /** pictures a step, all devices together; official 64 x 32 GPUs */
        batch_size: number;
        base_learning_rate: number;
        end_learning_rate: number;
        /** of the learning rate, linear from 0 */
        warmup_epochs: number;
        /** the prototypes' learning rate is 0 */
        freeze_last_layer_epochs: number;
        weight_decay: number;
        end_weight_decay: number;
        /** of the teacher */
        momentum: number;
        end_momentum: number;
        start_teacher_temperature: number;
        teacher_temperature: number;
        /** linear from the start value, constant afterwards */
        teacher_temperature_epochs: number;
      };
    };
    shapes: {
      steps: [number];
      learning_rate: [number];
      last_layer_learning_rate: [number];
      weight_decay: [number];
      momentum: [number];
      teacher_temperature: [number];
    };
  }
}

export namespace welcome {
  /** The PCA of the last layer, and directions short enough to be sent with the document. */
  export interface WelcomeScene {
    /** uint8 [h, w, 3], background black */
    colours: Uint8Array;
    /** uint8 [h, w], 1 where foreground */
    foreground: Uint8Array;
    /** int8 [P, WIDTH]; times `scales`, the dot products are about the cosines */
    codes: Int8Array;
    /** float32 [WIDTH] */
    scales: Float32Array;
    facts: {
      /** px that the model was given */
      short_side: number;
      grid: [number, number];
      layer: number;
    };
    shapes: {
      colours: [number, number, 3];
      foreground: [number, number];
      codes: [number, number];
      scales: [number];
    };
  }
}

export namespace whatif {
  /** One picture before and after. Cosines are of features through the final norm, 1: the same. */
  export interface WhatIfScene {
    /** float32 [h, w] after the layer shown */
    patch_cosine: Float32Array;
    /** float32 [T] */
    cls_cosine_by_layer: Float32Array;
    /** float32 [T], mean over the patches */
    patch_cosine_by_layer: Float32Array;
    /** float32 [A, h, w], patch part of the class token's rows */
    attention_before: Float32Array;
    /** float32 [A, h, w] */
    attention_after: Float32Array;
    /** uint8 [h, w, 3], PCA of the layer's features, background black */
    colours_before: Uint8Array;
    /** uint8 [h, w, 3], in the basis and range of before */
    colours_after: Uint8Array;
    /** float32 [D], of the last layer */
    cls_before: Float32Array;
    /** float32 [D] */
    cls_after: Float32Array;
    facts: {
      /** SITE=VALUE, in the order they hold */
      changes: string[];
      /** whose attention and features are shown */
      layer: number;
      /** the first block that was computed again; T without a change */
      entry: number;
      grid: [number, number];
      /** that are left in */
      registers: number;
      heads: number;
      /** of the class token after the last block */
      cls_cosine: number;
      /** of the patches after the last block */
      patch_cosine_mean: number;
      /** of the colours */
      note: string;
    };
    shapes: {
      patch_cosine: [number, number];
      cls_cosine_by_layer: [number];
      patch_cosine_by_layer: [number];
      attention_before: [number, number, number];
      attention_after: [number, number, number];
      colours_before: [number, number, 3];
      colours_after: [number, number, 3];
      cls_before: [number];
      cls_after: [number];
    };
  }

  /** What a pair's heads say of the picture before and after. Cross-entropies in nats. */
  export interface PrototypesScene {
    /** int32 [2, k] the teacher's likeliest before and after */
    prototypes: Int32Array;
    /** float32 [2, k] of these */
    probabilities: Float32Array;
    facts: {
      /** of the pair */
      title: string;
      /** before, after: of the class token */
      dino: [number, number];
      /** mean over patches; None for a pair without */
      ibot: [number, number] | null;
    };
    shapes: {
      prototypes: [2, number];
      probabilities: [2, number];
    };
  }
}

export namespace whatif_nearest {
  /** The gallery stays as it is: only the picture that is looked at has changed. */
  export interface NearestScene {
    /** int32 [2, k] before and after, the nearest first */
    indices: Int32Array;
    /** float32 [2, k] cosine of class tokens after the final norm */
    similarities: Float32Array;
    facts: {
      /** of the gallery, without the picture itself */
      pictures: number;
      /** before and after, as in the folder or zip */
      names: string[][];
    };
    shapes: {
      indices: [2, number];
      similarities: [2, number];
    };
  }
}

export namespace whatif_screening {
  /** Every head, or attention and MLP of every block, changed one at a time with several values. */
  export interface ScreeningScene {
    /** float32 [n, T, units, B] of the class token */
    effect_cls: Float32Array;
    /** float32 [n, T, units, B] mean over the patches */
    effect_patches: Float32Array;
    /** float32 [n, T, units], mean over pictures */
    mean_cls: Float32Array;
    /** float32 [n, T, units] */
    mean_patches: Float32Array;
    /** float32 [n, T, units], standard deviation over pictures */
    spread_cls: Float32Array;
    /** float32 [n, T, units] */
    spread_patches: Float32Array;
    /** float32 [T, units] zero minus mean; None unless both are there */
    shock_cls?: Float32Array;
    /** float32 [T, units] */
    shock_patches?: Float32Array;
    /** float32 [n, T, units] of the 20-NN accuracy */
    accuracy_change?: Float32Array;
    facts: {
      /** "heads" or "blocks" */
      parts: string;
      values: string[];
      /** of a block, in words */
      units: string[];
      pictures: number;
      /** pictures that means and noise are taken from; 0: that is not known */
      references: number;
      /** 20-NN of the pictures in the gallery as it is; None without labels */
      accuracy: number | null;
    };
    shapes: {
      effect_cls: [number, number, number, number];
      effect_patches: [number, number, number, number];
      mean_cls: [number, number, number];
      mean_patches: [number, number, number];
      spread_cls: [number, number, number];
      spread_patches: [number, number, number];
      shock_cls?: [number, number];
      shock_patches?: [number, number];
      accuracy_change?: [number, number, number];
    };
  }
}

export namespace zips {
  /** What a person answers about the pictures of a zip, as the command line's options do. */
  export interface PictureChoice {
    /** folders and files that are taken although their name says no */
    include: string[];
    /** those that are left out; patterns such as *_small.jpg as well */
    exclude: string[];
    /** of 16-bit pictures, from the smallest to the largest value */
    stretch: boolean;
  }
}
