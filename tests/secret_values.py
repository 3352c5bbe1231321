# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Invented secrets of each form. They are put together here, so that no scanner takes this file for a leak."""

from __future__ import annotations

ACCESS_KEY = "AKIA" + "Z7QK3M5N2P4R6S2T"
SECRET_KEY = "k7Qz/h4Xv2" * 4
PASSWORD = "hunter2-h7x"
SECRETS = {
    "private key": "-----BEGIN RSA " + "PRIVATE KEY-----\nMIIEow7zQ\n-----END RSA " + "PRIVATE KEY-----",
    "key of OpenSSH": "-----BEGIN OPENSSH " + "PRIVATE KEY-----\nb3BlbnNz",
    "GitHub": "gh" + "p_" + "a1B2" * 9,
    "GitHub, fine-grained": "github" + "_pat_" + "a1B2c3D4e5" * 8 + "f6",
    "GitLab": "gl" + "pat-" + "x7Yz_3k-9QwErTy2Ui4O",
    "Slack": "xo" + "xb-123456789012-abcdefXYZ",
    "Stripe": "sk" + "_live_" + "4eC39HqLyjWDarjtT1zdp7dc",
    "npm": "np" + "m_" + "a1B2" * 9,
    "Docker Hub": "dckr" + "_pat_" + "a1B2c3D4e5F6g7H8i9J0k1L2m3N",
    "SendGrid": "S" + "G." + "a1B2c3D4e5F6g7H8i9J0k1" + "." + "a1B2c3D4e5" * 4 + "f6g",
    "address": f"postgres://shop:{PASSWORD}@db:5432/shop",
    "address without a user": f"redis://:{PASSWORD}@cache",
    "key of AWS": f"{ACCESS_KEY}:{SECRET_KEY}",
}
