# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Registers a Docker image as a machine image of the local cloud and prints its ID; amazon.aws.ec2_ami cannot."""

from __future__ import annotations

import json
import sys
import typing as t

import boto3


def machine_image(name: str, docker_image: str) -> dict[str, t.Any]:
    """The image of that name; whether it had to be registered."""
    ec2 = boto3.client("ec2")
    found = [image for image in ec2.describe_images()["Images"] if image.get("Name") == name]
    if found:
        return {"changed": False, "image_id": found[0]["ImageId"]}
    made = ec2.register_image(
        Name=name,
        ImageLocation=docker_image,
        Architecture="x86_64",
        VirtualizationType="hvm",
        RootDeviceName="/dev/xvda",
    )
    return {"changed": True, "image_id": made["ImageId"]}


if __name__ == "__main__":
    print(json.dumps(machine_image(*sys.argv[1:])))
